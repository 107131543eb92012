"""Print, as JSON of hex, every key that one person's password opens. For test_at_rest.py."""

import json
import os
import sys


def main(username: str, password: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "imageshare.settings"
    import django

    django.setup()
    from accounts import custody
    from accounts.keys.mac_keys import notice_mac_key
    from accounts.models import User
    from cryptocore.keypair import private_der
    from gallery.access import access_to
    from gallery.models import Grant
    from gallery.opening import Opener

    user = User.objects.get(username=username)
    keyring = custody.open_with_password(user, password)
    opener = Opener(keyring)
    grants = Grant.objects.filter(reader=user, ended_at=None)
    private_keys = [keyring._private_key(pair) for pair in user.key_pairs.all()]
    keys = {
        "master key": [keyring._master_key],
        "content keys": [
            opener.content_key_for(access_to(grant.image_id, reader=user)) for grant in grants
        ],
        "private keys": [private_der(key)[900:948] for key in private_keys],
        "MAC keys": [notice_mac_key(row) for row in user.mac_keys.all()],
    }
    print(json.dumps({name: [key.hex() for key in several] for name, several in keys.items()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
