import copy
import pickle

import pytest

from cryptocore.errors import MESSAGE, CryptoError


def test_no_message_of_ones_own_can_be_given():
    with pytest.raises(TypeError):
        CryptoError("the key was 00112233")


def test_a_copy_and_a_pickle_say_the_same():
    for other in (copy.copy(CryptoError()), pickle.loads(pickle.dumps(CryptoError()))):
        assert type(other) is CryptoError
        assert str(other) == MESSAGE
