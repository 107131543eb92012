"""The question before two people count as having compared: two of the eight words, typed.

People would press a button alone without a telephone call. Each time the page chooses another two;
it hands out the question signed, so that several open pages do not mix theirs up and nothing is
kept.
"""

import secrets
import uuid
from dataclasses import dataclass
from typing import Any, Self

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.fingerprints import WORDS, words

SALT = "accounts.views.comparing"
GOOD_FOR_SECONDS = 3600
MATCH, DIFFER = "match", "differ"


@dataclass(frozen=True)
class Question:
    """Which two words of whose key who is asked for."""

    asker: uuid.UUID
    fingerprint: str
    numbers: tuple[int, int]

    @classmethod
    def new(cls, asker: uuid.UUID, fingerprint: str) -> Self:
        first, second = sorted(secrets.SystemRandom().sample(range(1, WORDS + 1), 2))
        return cls(asker, fingerprint, (first, second))

    def signed(self) -> str:
        return signing.dumps([str(self.asker), self.fingerprint, *self.numbers], salt=SALT)

    @classmethod
    def of_form(cls, signed: str, asker: uuid.UUID, fingerprint: str) -> Self | None:
        """Return the question that was put to `asker` about this very key, if it was."""
        try:
            whose, about, *numbers = signing.loads(signed, salt=SALT, max_age=GOOD_FOR_SECONDS)
        except signing.BadSignature:
            return None
        question = cls(asker, fingerprint, (numbers[0], numbers[1]))
        return question if (whose, about) == (str(asker), fingerprint) else None

    def word(self, index: int) -> str:
        return words(self.fingerprint)[self.numbers[index] - 1]


class CompareForm(forms.Form):
    """The verdict on somebody's key, and the two words that stand for having compared it."""

    verdict = forms.ChoiceField(choices=[(MATCH, MATCH), (DIFFER, DIFFER)])
    question = forms.CharField(max_length=400)
    word_1 = forms.CharField(max_length=20, required=False)
    word_2 = forms.CharField(max_length=20, required=False)

    def __init__(self, *args: Any, asker: uuid.UUID, fingerprint: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._asker, self._fingerprint = asker, fingerprint
        self._ask(Question.new(asker, fingerprint))

    def _ask(self, question: Question) -> None:
        """Put `question` on the page: a new one, or once more the one that was answered wrongly."""
        self.asked = question
        for field, number in zip(("word_1", "word_2"), question.numbers, strict=True):
            self.fields[field].label = _("Word %(number)s") % {"number": number}

    def clean_question(self) -> Question:
        signed = self.cleaned_data["question"]
        question = Question.of_form(signed, self._asker, self._fingerprint)
        if question is None:
            sentence = _("This key was shown too long ago, or has changed. Compare it again.")
            raise ValidationError(sentence, code="compare_anew")
        self._ask(question)
        return question

    def clean(self) -> None:
        question = self.cleaned_data.get("question")
        if question is None or self.cleaned_data.get("verdict") != MATCH:
            return
        for index, field in enumerate(("word_1", "word_2")):
            if self.cleaned_data.get(field, "").strip().lower() != question.word(index):
                number = {"number": question.numbers[index]}
                sentence = _("This is not word %(number)s of the key shown here.") % number
                self.add_error(field, ValidationError(sentence, code="wrong_word"))

    @property
    def matches(self) -> bool:
        return bool(self.cleaned_data["verdict"] == MATCH)
