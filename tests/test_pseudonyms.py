"""Keyed codes: the definition of HMAC, the same person, no way back, a key that stays secret."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import stat

import pytest
import report_cases as cases
from hypothesis import given
from hypothesis import strategies as st

import acu_nof1 as acu
from acu_nof1.cli import main
from acu_nof1.privacy import is_code, without_names
from acu_nof1.pseudonyms import DIGITS, PURPOSE, VARIABLE, pseudonym, pseudonymised, read_key, write_key
from acu_nof1.report import blocks

KEY = b"0123456789abcdef0123456789abcdef"


def by_the_definition(person, key):
    """RFC 2104 by hand, H(K xor opad, H(K xor ipad, text)), and base 32 of its first 40 bits by division."""
    block = hashlib.sha256(key).digest() if len(key) > 64 else key
    block = block.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in block) + PURPOSE + person.encode()).digest()
    number = int(hashlib.sha256(bytes(b ^ 0x5C for b in block) + inner).hexdigest()[:10], 16)
    digits = ""
    for _ in range(8):
        number, rest = divmod(number, 32)
        digits = DIGITS[rest] + digits
    return f"P-{digits}"


@given(st.text("abcdefghij0123456789-", min_size=1, max_size=20), st.binary(min_size=16, max_size=100))
def test_rfc_2104_and_crockford_s_digits(person, key):
    assert pseudonym(person, key) == by_the_definition(person, key)


def test_the_same_person_has_the_same_code_and_nobody_else_has():
    same = {
        pseudonym(person, KEY) for person in ("P-014", " p-014", "P-014  ", "P\N{NON-BREAKING HYPHEN}014"[:1] + "-014")
    }
    assert len(same) == 1
    assert pseudonym("P-014", KEY) != pseudonym("P-014", KEY[::-1])
    assert pseudonym("Zo\u00e9", KEY) == pseudonym("Zoe\u0301", KEY)
    codes = {pseudonym(f"P-{number}", KEY) for number in range(20_000)}
    assert len(codes) == 20_000  # by the birthday bound a collision here has a chance of 1 in 5,500
    # None of them is taken for a name or a phone number, and kept back.
    assert [
        code for code in codes if not is_code(code) or without_names(f"{code} pain.csv") != f"{code} pain.csv"
    ] == []
    assert all(re.fullmatch(r"P-[0-9A-HJKMNP-TV-Z]{8}", code) for code in codes)
    # Every digit at every place is as frequent as every other (32 x 8 cells of 625 expected).
    counts = [sum(code[2 + place] == digit for code in codes) for place in range(8) for digit in DIGITS]
    assert sum((count - 625) ** 2 / 625 for count in counts) < 330  # chi-square with 248 degrees: 0.9997


@pytest.mark.parametrize(("person", "key"), [("", KEY), ("  ", KEY), ("P-014", b"short")])
def test_no_person_and_a_weak_key_are_refused(person, key):
    with pytest.raises(acu.AcuError) as error:
        pseudonym(person, key)
    assert "short" not in str(error.value)


@pytest.fixture
def coded(tmp_path):
    """A trial whose old code stands in the file name, a title, a cell and the goal, and its key."""
    folder = tmp_path / "trials" / "one"
    shutil.copytree(cases.SAMPLE_DATA / "low_back_pain", folder)
    (folder / "pain.csv").rename(folder / "P-014_pain.csv")
    text = (folder / "protocol.toml").read_text(encoding="utf-8")
    text = text.replace('file = "pain.csv"', 'file = "P-014_pain.csv"').replace('goal = "', 'goal = "P-014 wants to ')
    (folder / "protocol.toml").write_text(text, encoding="utf-8")
    diary = (folder / "P-014_pain.csv").read_text(encoding="utf-8").splitlines()
    diary[5] = re.sub(r",[^,]*", ",p 014", diary[5], count=1)
    (folder / "P-014_pain.csv").write_text("\n".join(diary), encoding="utf-8")
    write_key(tmp_path / "clinic.key")
    return folder, tmp_path / "clinic.key"


def everything(review):
    page = " ".join(section.html for section in blocks(review))
    return page + json.dumps(review.to_dict(), ensure_ascii=False) + review.to_frame().to_csv() + repr(review)


def test_the_old_code_is_nowhere_and_every_number_stays(coded):
    folder, file = coded
    trial, key = acu.read_trial(folder), read_key(file)
    plain, hidden = acu.reassess(trial), acu.reassess(pseudonymised(trial, key))
    said = re.sub(r"\b[0-9a-f]{64}\b|data:image[^\"]*", "", everything(hidden))
    assert re.search(r"p[\s_-]?014", everything(plain), re.IGNORECASE)
    assert not re.search(r"p[\s_-]?014", said, re.IGNORECASE)
    code = pseudonym("P-014", key)
    assert f"{code}_pain.csv" in said
    assert f"{code} wants to" in said
    assert key.decode() not in said
    columns = ["outcome", "question", "value", "low", "high"]
    assert plain.to_frame()[columns].equals(hidden.to_frame()[columns])
    # Anonymous on top of it: no code at all.
    none = json.dumps(acu.reassess(acu.anonymous(pseudonymised(trial, key))).to_dict())
    assert code not in none
    assert "P-014" not in none


def test_a_name_is_left_out_word_by_word_and_digits_are_not_sought_in_dates(coded):
    trial = acu.read_trial(coded[0])
    named = trial.protocol.model_copy(update={"person": "Zebulon Quimperle", "goal": "zebulon and QUIMPERLE walk"})
    hidden = pseudonymised(acu.Trial(named, trial.diary), KEY)
    assert hidden.protocol.goal == "[name] and [name] walk"
    assert hidden.protocol.code == pseudonym("zebulon quimperle", KEY)
    numbered = trial.protocol.model_copy(update={"person": "14", "goal": "14 stairs"})
    assert pseudonymised(acu.Trial(numbered, trial.diary), KEY).protocol.goal == "14 stairs"


def test_the_same_person_in_two_trials(coded):
    other = acu.read_trial(cases.SAMPLE_DATA / "migraine")
    same = acu.Trial(other.protocol.model_copy(update={"person": "p-014"}), other.diary)
    codes = {pseudonymised(trial, KEY).protocol.person for trial in (acu.read_trial(coded[0]), same)}
    assert codes == {pseudonym("P-014", KEY)}


def test_the_key_file_is_its_owner_s_and_never_overwritten(tmp_path):
    file = tmp_path / "a.key"
    write_key(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(read_key(file)) == 64
    with pytest.raises(acu.AcuError, match="there is a file already"):
        write_key(file)
    write_key(tmp_path / "b.key")
    assert read_key(file) != read_key(tmp_path / "b.key")
    file.chmod(0o644)
    with pytest.raises(acu.AcuError, match="chmod 600"):
        read_key(file)


def test_the_key_from_the_environment(monkeypatch):
    monkeypatch.setenv(VARIABLE, KEY.decode() + "\n")
    assert read_key("env") == KEY
    monkeypatch.setenv(VARIABLE, "tiny")
    with pytest.raises(acu.AcuError, match="at least 16") as error:
        read_key("env")
    assert "tiny" not in str(error.value)
    monkeypatch.delenv(VARIABLE)
    with pytest.raises(acu.AcuError, match="is not set"):
        read_key("env")


def run(capsys, *words):
    with pytest.raises(SystemExit) as left:
        main([str(word) for word in words])
    return left.value.code, "".join(capsys.readouterr())


def test_the_command(coded, tmp_path, capsys, monkeypatch):
    folder, file = coded
    monkeypatch.chdir(tmp_path)
    assert run(capsys, "report", folder, "--pseudonymise", file, "--json", "a.json")[0] == 0
    told = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert told["person"] == pseudonym("P-014", read_key(file))
    assert (tmp_path / "reassessment.html").is_file()  # not called after the folder
    monkeypatch.setenv(VARIABLE, file.read_text())
    assert run(capsys, "report", folder, "--pseudonymise", "env", "--anonymous", "--json", "b.json")[0] == 0
    assert json.loads((tmp_path / "b.json").read_text(encoding="utf-8"))["person"] == "anonymous, dates moved"
    code = pseudonym("P-014", read_key(file))
    assert run(capsys, "convert", folder, tmp_path / "long.csv", "--pseudonymise", file)[0] == 0
    assert f"\n{code}," in (tmp_path / "long.csv").read_text()
    assert not re.search(
        r"p[ -]014", (tmp_path / "long.csv").read_text() + (tmp_path / "long.ledger.csv").read_text(), re.I
    )
    said = run(capsys, "check", folder, "--pseudonymise", file)[1]
    assert f"{code}_pain.csv" in said
    assert not re.search(r"p[ -]014", said, re.IGNORECASE)
    code, said = run(capsys, "key", tmp_path / "new.key")
    assert code == 0
    assert (tmp_path / "new.key").read_text().strip() not in said


def test_what_the_command_refuses(coded, tmp_path, capsys):
    folder, file = coded
    inside = folder / "in.key"
    shutil.copy(file, inside)
    inside.chmod(0o600)
    for words, expected in (
        (["report", folder, "--pseudonymise", inside], "the key lies in the trial folder"),
        (["report", folder, "--pseudonymise", tmp_path / "none"], "there is no such key file"),
        (["report", folder, "--pseudonymise", file, "--ipynb", tmp_path / "a.ipynb"], "Leave out one of the two"),
        (["report", folder / "P-014_pain.csv", "--pseudonymise", file], "names no person"),
        (["key", file], "there is a file already"),
    ):
        code, said = run(capsys, *words)
        assert code == 2
        assert expected in said
        assert file.read_text().strip() not in said
