"""Search through one's own images."""

from django.core.paginator import Paginator
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from accounts.web.answers import form_refusal, wants_json
from accounts.web.decorators import unlocked
from accounts.web.requests import PersonRequest, open_keys
from gallery import presenting
from gallery.access import Access
from gallery.forms import SearchForm
from gallery.models import Grant
from gallery.opening import Opener
from gallery.services.searching import in_full, search
from gallery.views.common import record_cards
from gallery.views.lists import PER_PAGE, grants_on


@sensitive_post_parameters("q")
@sensitive_variables()
@require_http_methods(["GET", "HEAD", "POST"])
@unlocked
def search_images(request: PersonRequest) -> HttpResponse:
    """What is searched for is posted: of an address, histories and proxies keep a copy."""
    if request.method != "POST":
        return render(request, "gallery/search.html")
    form = SearchForm(request.POST)
    if not form.is_valid():
        return form_refusal(request, form, "gallery/search.html", {})
    text = form.cleaned_data["q"]
    found = search(keyring=open_keys(request), text=text)
    page = Paginator(found.accesses, PER_PAGE).get_page(request.POST.get("page"))
    shown = _with_counts(in_full(list(page.object_list)))
    cards = presenting.cards(shown, Opener(open_keys(request)))
    record_cards(request, cards)
    if wants_json(request):
        return JsonResponse(
            {
                "images": [presenting.card_json(card) for card in cards],
                "page": page.number,
                "pages": page.paginator.num_pages,
                "total": page.paginator.count,
                "left": found.left,
            }
        )
    context = {"text": text, "cards": cards, "page_obj": page, "left": found.left}
    return render(request, "gallery/search.html", context)


def _with_counts(accesses: list[Access]) -> list[Access]:
    """Return the same, grants with how many people each image is shared with."""
    ids = [access.way.pk for access in accesses if isinstance(access.way, Grant)]
    counted = {grant.pk: grant for grant in grants_on(ids)}
    found = []
    for one in accesses:
        way = counted.get(one.way.pk, one.way) if isinstance(one.way, Grant) else one.way
        found.append(Access(one.reader, way))
    return found
