"""`verify_images` names each thing that is wrong, and nothing else."""

from django.core.management import CommandError, call_command

from audit.models import AuditEntry


def verify(capsys, *arguments):
    """Return the exit status, what was said, and each finding."""
    status, said = 0, ""
    try:
        call_command("verify_images", *arguments)
    except CommandError as error:
        status, said = 1, str(error)
    streams = capsys.readouterr()
    return status, said or streams.out.strip(), streams.err.splitlines()


def test_all_is_well(shared_image, upload, bob, capsys):
    upload()
    assert verify(capsys) == (
        0,
        "Images: 2, and notices of 2 people, all as signed and recorded.",
        [],
    )
    entry = AuditEntry.objects.get(event="images:verified")
    assert entry.told().facts == {"checked": 2, "people": 2, "findings": 0}
