"""The judge is judged: each kind of fault is found, and an honest record is not accused."""

from hub.bench.ledger import Answered, Given, Ledger, Stored, line

A0, A1, B0 = Given("a0", "a", 0, "h0"), Given("a1", "a", 1, "h1"), Given("b0", "b", 0, "h2")


def stored(given: Given) -> Stored:
    return Stored(given.do, given.by, given.n, given.hash)


def ledger(**answers: str) -> Ledger:
    lines = [line(given) for given in (A0, A1, B0)]
    lines += [line(Answered(name, answer)) for name, answer in answers.items()]  # type: ignore[arg-type]
    return Ledger().read(lines)


def test_an_honest_record_is_not_accused() -> None:
    full = ledger(a0="ok", a1="ok", b0="unknown")
    assert full.check([stored(A0), stored(B0), stored(A1)]) == []
    assert full.check([stored(A0), stored(A1)]) == []
    assert ledger(a0="ok").check([stored(A0), stored(A1)]) == [], "no answer came: it may be stored"
    assert (full.count("ok"), full.count("unknown"), full.count("refused")) == (2, 1, 0)


def test_each_fault_is_found() -> None:
    full = ledger(a0="ok", a1="ok", b0="refused")
    assert full.check([stored(A0)]) == ["a1 was acknowledged and is lost"]
    assert full.check([stored(A0), stored(A1), stored(B0)]) == ["b0 was refused and is stored all the same"]
    assert "a1: number 1 of a is stored after" not in str(full.check([stored(A0), stored(A1)]))
    assert full.check([stored(A1), stored(A0)]) == ["a0: number 0 of a is stored after its number 1"]
    assert "a1 is stored more than once: 2 times" in full.check([stored(A0), stored(A1), stored(A1)])
    assert "x is stored and nobody gave it" in full.check([stored(A0), stored(A1), Stored("x", "x", 0, "")])
    assert full.check([stored(A0), Stored("a1", "a", 1, "other")]) == [
        "a1 is stored with another body, sender or number"
    ]


def test_what_was_refused_and_given_again_counts_by_its_last_answer() -> None:
    again = ledger(a0="refused", a1="ok", b0="ok").read([line(A0)])
    assert again.check([stored(A0), stored(A1), stored(B0)]) == []
    again.read([line(Answered("a0", "ok"))])
    assert again.check([stored(A1), stored(B0)]) == ["a0 was acknowledged and is lost"]


def test_lines_that_are_none_of_the_ledgers_are_passed_over() -> None:
    assert Ledger().read([b'{"ready": true}\n', b'{"do": "a0", "by', "nonsense"]).given == {}
