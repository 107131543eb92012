"""Vectors that others published. One that calls for a refusal must be refused by us.

Wycheproof's sets for HMAC and AES-CBC are not in the package: RFC 4231 and NIST's CBC files
stand in for them, and test_content.py tries every wrong padding.
"""

import pytest
from argon2.low_level import Type, core, ffi, lib
from Crypto.Cipher import AES
from Crypto.PublicKey import RSA

from cryptocore import content, keypair
from cryptocore.kdf import derive_key
from cryptocore.keywrap import unwrap_key, wrap_key
from cryptocore.mac import check_mac, mac
from cryptocore.passwords import Argon2Cost, stretch
from cryptocore.signature import verify
from cryptocore.wrapping import unwrap
from tests.cryptocore.published import cavp, wycheproof
from tests.cryptocore.refusals import assert_refused

OAEP = "Cipher/wycheproof/rsa_oaep_{}_test.json"
PSS = "Signature/wycheproof/rsa_pss_{}_test.json"
WE_TAKE = range(keypair.BITS, keypair.MAX_BITS + 1)
OTHER_SIZE = "we refuse that size"
OTHER_HASH = "we use SHA-256 alone"


def unhex(vector, *names):
    return [bytes.fromhex(vector[name]) for name in names]


# RSA


def check_oaep(vector, key):
    wrapped, label, message = unhex(vector, "ct", "label", "msg")
    # "acceptable" asks for neither, and PyCryptodome opens it: a ciphertext that is a small number.
    if vector["result"] in ("valid", "acceptable"):
        assert unwrap(wrapped, key, label=label) == message, vector["tcId"]
    else:
        assert_refused(unwrap, wrapped, key, label=label)


@pytest.mark.parametrize(
    ("tally", "file"),
    [
        (f"Wycheproof RSA-OAEP {bits} SHA-256", OAEP.format(f"{bits}_sha256_mgf1sha256"))
        for bits in (2048, 3072, 4096)
    ]
    + [("Wycheproof RSA-OAEP, other parameters", OAEP.format("misc"))],
    indirect=["tally"],
)
def test_rsa_oaep(tally, file):
    for group, vector in wycheproof(file):
        if group["keySize"] not in WE_TAKE:
            tally.skipped[OTHER_SIZE] += 1
        elif (group["sha"], group["mgfSha"]) != ("SHA-256", "SHA-256"):
            tally.skipped[OTHER_HASH] += 1
        else:
            check_oaep(vector, our_private_key(bytes.fromhex(group["privateKeyPkcs8"])))
            tally.ran += 1


def our_private_key(der):
    public_der = keypair.public_der(RSA.import_key(der))
    return keypair.load_private_key(der, public_der=public_der)


def check_pss(vector, key):
    message, signature = unhex(vector, "msg", "sig")
    if vector["result"] == "valid":
        verify(message, signature, key)
    else:
        assert_refused(verify, message, signature, key)


@pytest.mark.parametrize(
    ("tally", "file"),
    [
        (f"Wycheproof RSA-PSS {bits} SHA-256, salt 32", PSS.format(f"{bits}_sha256_mgf1_32"))
        for bits in (2048, 3072, 4096)
    ],
    indirect=["tally"],
)
def test_rsa_pss(tally, file):
    for group, vector in wycheproof(file):
        if group["keySize"] not in WE_TAKE:
            assert_refused(keypair.load_public_key, bytes.fromhex(group["publicKeyDer"]))
            tally.skipped[OTHER_SIZE] += 1
            continue
        check_pss(vector, keypair.load_public_key(bytes.fromhex(group["publicKeyDer"])))
        tally.ran += 1


@pytest.mark.parametrize("tally", ["Wycheproof RSA-PSS 2048 SHA-256, salt 0"], indirect=True)
def test_rsa_pss_of_another_salt(tally):
    for _, vector in wycheproof(PSS.format("2048_sha256_mgf1_0")):
        assert vector
        tally.skipped["we refuse that size, and any salt but 32 bytes"] += 1


# AES


@pytest.mark.parametrize("tally", ["Wycheproof AES-KWP"], indirect=True)
def test_aes_kwp(tally):
    for group, vector in wycheproof("Cipher/wycheproof/aes_kwp_test.json"):
        if group["keySize"] != 256:
            tally.skipped[OTHER_SIZE] += 1
            continue
        kek, key, wrapped = unhex(vector, "key", "msg", "ct")
        if vector["result"] == "valid":
            assert wrap_key(key, kek) == wrapped, vector["tcId"]
            assert unwrap_key(wrapped, kek) == key, vector["tcId"]
        else:
            assert_refused(unwrap_key, wrapped, kek)
        tally.ran += 1


@pytest.mark.parametrize("tally", ["RFC 5649 §6"], indirect=True)
def test_rfc_5649(tally):
    tally.skipped["both use a KEK of 192 bits: we refuse that size"] += 2
    kek = bytes.fromhex("5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8")
    key = bytes.fromhex("c37b7e6492584340bed12207808941155068f738")
    wrapped = "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a"
    # The library that we call has them right all the same.
    assert AES.new(kek, AES.MODE_KWP).seal(key).hex() == wrapped
    with pytest.raises(ValueError, match="32 bytes"):
        wrap_key(key, kek)


def check_cbc(key, iv, plaintext, ciphertext):
    """The published blocks have no padding; one padding block after them makes it ours."""
    full_block = AES.new(key, AES.MODE_CBC, iv=ciphertext[-16:]).encrypt(b"\x10" * 16)
    assert content._encrypt_under_iv(plaintext, key, iv) == iv + ciphertext + full_block
    assert content.decrypt(iv + ciphertext + full_block, key) == plaintext


@pytest.mark.parametrize(
    ("tally", "file"),
    [
        (f"NIST CAVP {name}", f"Cipher/AES/{name}.rsp")
        for name in ("CBCGFSbox256", "CBCKeySbox256", "CBCVarKey256", "CBCVarTxt256", "CBCMMT256")
    ],
    indirect=["tally"],
)
def test_aes_cbc_of_nist(tally, file):
    for vector in cavp(file):
        check_cbc(*unhex(vector, "KEY", "IV", "PLAINTEXT", "CIPHERTEXT"))
        tally.ran += 1


@pytest.mark.parametrize("tally", ["NIST CAVP CBCMMT128 and CBCMMT192"], indirect=True)
def test_aes_cbc_of_other_key_sizes(tally):
    for size in (128, 192):
        for vector in cavp(f"Cipher/AES/CBCMMT{size}.rsp"):
            key, iv, ciphertext = unhex(vector, "KEY", "IV", "CIPHERTEXT")
            assert_refused(content.decrypt, iv + ciphertext, key)
            tally.skipped[OTHER_SIZE] += 1


@pytest.mark.parametrize("tally", ["NIST SP 800-38A F.2.5 and F.2.6 (CBC-AES256)"], indirect=True)
def test_sp_800_38a(tally):
    check_cbc(
        bytes.fromhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"),
        bytes(range(16)),
        bytes.fromhex(
            "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
            "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
        ),
        bytes.fromhex(
            "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d"
            "39f23369a9d9bacfa530e26304231461b2eb05e2c39be9fcda6c19078c6a9d1b"
        ),
    )
    tally.ran += 2


# HKDF and HMAC


def check_hkdf(ikm, salt, info, okm):
    # HKDF's output is a stream: ours is its first 32 bytes (RFC 5869 §2.3).
    compared = min(len(okm), 32)
    assert derive_key(ikm, info, salt=salt)[:compared] == okm[:compared]


@pytest.mark.parametrize("tally", ["Wycheproof HKDF-SHA256, first 32 bytes"], indirect=True)
def test_hkdf(tally):
    for _, vector in wycheproof("Protocol/wycheproof/hkdf_sha256_test.json"):
        if vector["result"] == "valid":
            check_hkdf(*unhex(vector, "ikm", "salt", "info", "okm"))
            tally.ran += 1
        else:
            tally.skipped["asks for too many bytes, and ours are always 32"] += 1


RFC_5869 = [
    (
        "0b" * 22,
        "000102030405060708090a0b0c",
        "f0f1f2f3f4f5f6f7f8f9",
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    ),
    (
        bytes(range(0x50)).hex(),
        bytes(range(0x60, 0xB0)).hex(),
        bytes(range(0xB0, 0x100)).hex(),
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
        "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
        "cc30c58179ec3e87c14c01d5c1f3434f1d87",
    ),
    (
        "0b" * 22,
        "",
        "",
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    ),
]


@pytest.mark.parametrize("tally", ["RFC 5869 A.1 to A.3 (HKDF-SHA256)"], indirect=True)
def test_rfc_5869(tally):
    for vector in RFC_5869:
        check_hkdf(*map(bytes.fromhex, vector))
        tally.ran += 1


RFC_4231 = [
    ("0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    (
        b"Jefe".hex(),
        b"what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ),
    ("aa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
    (
        bytes(range(1, 26)).hex(),
        b"\xcd" * 50,
        "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
    ),
    ("0c" * 20, b"Test With Truncation", "a3b6167473100ee06e0c796c2955552b"),
    (
        "aa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
    (
        "aa" * 131,
        b"This is a test using a larger than block-size key and a larger than block-size data. "
        b"The key needs to be hashed before being used by the HMAC algorithm.",
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
    ),
]


@pytest.mark.parametrize("tally", ["RFC 4231 (HMAC-SHA256)"], indirect=True)
def test_rfc_4231(tally):
    for key, message, tag in RFC_4231:
        made, expected = mac(message, bytes.fromhex(key)), bytes.fromhex(tag)
        assert made[: len(expected)] == expected
        if len(expected) < 32:  # case 5 publishes half a tag, which is none to us
            assert_refused(check_mac, message, expected, bytes.fromhex(key))
        tally.ran += 1


# Argon2id


@pytest.mark.parametrize("tally", ["RFC 9106 §5.3 (Argon2id)"], indirect=True)
def test_rfc_9106(tally):
    """It takes a secret and associated data, which we never do: the library alone is tried."""
    out, password, salt, secret, data = (
        ffi.new("uint8_t[]", value)
        for value in (bytes(32), b"\x01" * 32, b"\x02" * 16, b"\x03" * 8, b"\x04" * 12)
    )
    parameters = {
        "out": out, "outlen": 32, "pwd": password, "pwdlen": 32, "salt": salt, "saltlen": 16,
        "secret": secret, "secretlen": 8, "ad": data, "adlen": 12, "t_cost": 3, "m_cost": 32,
        "lanes": 4, "threads": 4, "version": 0x13, "flags": lib.ARGON2_DEFAULT_FLAGS,
        "allocate_cbk": ffi.NULL, "free_cbk": ffi.NULL,
    }  # fmt: skip
    assert core(ffi.new("argon2_context *", parameters), Type.ID.value) == lib.ARGON2_OK
    assert bytes(ffi.buffer(out, 32)).hex() == (
        "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"
    )
    tally.ran += 1


# github.com/P-H-C/phc-winner-argon2, src/test.c, "Argon2id test", version 0x13.
REFERENCE = [
    (2, 2**16, 1, "password", "somesalt",
     "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"),
    (2, 2**8, 1, "password", "somesalt",
     "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe"),
    (2, 2**8, 2, "password", "somesalt",
     "6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037"),
    (1, 2**16, 1, "password", "somesalt",
     "f6a5adc1ba723dddef9b5ac1d464e180fcd9dffc9d1cbf76cca2fed795d9ca98"),
    (4, 2**16, 1, "password", "somesalt",
     "9025d48e68ef7395cca9079da4c4ec3affb3c8911fe4f86d1a2520856f63172c"),
    (2, 2**16, 1, "differentpassword", "somesalt",
     "0b84d652cf6b0c4beaef0dfe278ba6a80df6696281d7e0d2891b817d8c458fde"),
    (2, 2**16, 1, "password", "diffsalt",
     "bdf32b05ccc42eb15d58fd19b1f856b113da1e9a5874fdcc544308565aa8141c"),
]  # fmt: skip


@pytest.mark.parametrize("tally", ["Argon2id reference implementation, test.c"], indirect=True)
def test_argon2id_reference(tally):
    for time_cost, memory_kib, parallelism, password, salt, expected in REFERENCE:
        cost = Argon2Cost(time_cost, memory_kib, parallelism)
        assert stretch(password, salt=salt.encode(), cost=cost).hex() == expected
        tally.ran += 1
    tally.skipped["2**18 KiB: a quarter of a gigabyte"] += 1
