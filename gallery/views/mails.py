"""How often somebody gets mails about their notices."""

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.mail import sends_mail
from accounts.web.answers import form_refusal, wants_json
from accounts.web.decorators import signed_in
from accounts.web.requests import PersonRequest
from gallery.forms import MailsForm
from gallery.models import MailChoice
from gallery.services.mailing import choose


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def mails(request: PersonRequest) -> HttpResponse:
    choice = MailChoice.objects.filter(person=request.user).first()
    how = choice.how if choice else MailChoice.How.SOON.value
    page = {"sends_mail": sends_mail()}
    if request.method != "POST":
        if wants_json(request):
            return JsonResponse({"how": how})
        form = MailsForm(initial={"how": how})
        return render(request, "gallery/mails.html", {"form": form, **page})
    form = MailsForm(request.POST)
    if not form.is_valid():
        return form_refusal(request, form, "gallery/mails.html", page)
    choose(person=request.user, how=form.cleaned_data["how"])
    if wants_json(request):
        return JsonResponse({"how": form.cleaned_data["how"]})
    messages.success(request, _("Saved."))
    return redirect("gallery:activity")
