"""Names of the same words in another order: a key that is neither too wide nor too narrow."""

from __future__ import annotations

import string

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import lists

WORDS = ("green", "tea", "corner", "books", "oslo", "24", "shop", "bay", "ab", "a", "b")
LETTERS = frozenset(string.ascii_letters + string.digits)


def by_pairs(names):
    """The oracle: every pair is compared by taking the words of one out of the other."""
    words = ["".join(c if c in LETTERS else " " for c in name).lower().split() for name in names]

    def alike(one, other):
        left = list(other)
        for word in one:
            if word not in left:
                return False
            left.remove(word)
        return bool(one) and not left

    groups, taken = [], set()
    for i in range(len(names)):
        group = [j for j in range(i, len(names)) if j not in taken and alike(words[i], words[j])]
        if len(group) > 1:
            groups.append(group)
        taken.update(group)
    return groups


def _names(rng: np.random.Generator, n: int) -> list[str]:
    found = []
    for _ in range(n):
        words = [WORDS[i] for i in rng.integers(0, len(WORDS), int(rng.integers(0, 4)))]
        words = [word.upper() if rng.random() < 0.5 else word.title() for word in words]
        found.append("".join(word + str(rng.choice([" ", "*", ", ", " - "])) for word in words))
    return found


def cases(rng: np.random.Generator) -> list[Case]:
    """One rule each first, then drawn names."""
    found = [
        Case("another order", (["green tea", "books", "tea green"],)),
        Case("no names", ([],)),
        Case("capital letters", (["Green Tea", "GREEN TEA", "tea"],), why="capital letters are taken as small ones"),
        Case(
            "separators", (["oslo*books", "books - oslo", "books,oslo."],), why="all but letters and digits separates"
        ),
        Case("a word twice", (["tea tea green", "green tea", "tea green tea"],), why="each word equally often"),
        Case("the same letters", (["tea green", "eat green", "green ate"],), why="words are compared, not letters"),
        Case("the same letters in a row", (["ab c", "a bc", "abc"],), why="where a word ends matters"),
        Case("names without words", (["", "***", " - ", "a"],), why="they hold no words and belong to no group"),
        Case("nobody alike", (["a", "b", "c"],), why="a group has two names or more"),
        Case("groups that interleave", (["b", "a", "a", "b", "a"],), why="groups in the order of their first names"),
        Case("digits", (["shop 24", "24 Shop", "shop 2 4", "SHOP24"],), why="digits belong to words"),
    ]
    found += [Case(f"{n} names", (_names(rng, n),)) for n in (30, 60, 90)]
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """Names of three words, every one with one partner."""
    half = [f"shop {number} oslo" for number in rng.permutation(n // 2)]
    return Case(f"{n} names", (half + [f"OSLO*{name[5:-5]} Shop" for name in half],))


def sorted_keys(names):
    """Accepted: keys sorted with their positions; equal keys lie beside each other."""
    keyed = []
    for i, name in enumerate(names):
        clean = "".join(c if "a" <= c <= "z" or "0" <= c <= "9" else " " for c in name.lower())
        if clean.strip():
            keyed.append((" ".join(sorted(clean.split())), i))
    keyed.sort()
    out, block = [], []
    for key, i in keyed:
        if block and block[0] != key:
            block = []
        if not block:
            block = [key, []]
            out.append(block[1])
        block[1].append(i)
    return sorted(group for group in out if len(group) >= 2)


def counted_words(names):
    """Accepted: the key is the set of (word, count)."""
    import re
    from collections import Counter

    first, members = {}, {}
    for place in range(len(names)):
        count = Counter(match.group().lower() for match in re.finditer(r"[A-Za-z0-9]+", names[place]))
        if not count:
            continue
        head = first.setdefault(frozenset(count.items()), place)
        members.setdefault(head, []).append(place)
    return [members[head] for head in sorted(members) if len(members[head]) != 1]


EXERCISE = Exercise(
    id="same_merchants",
    title="One merchant, many spellings",
    minutes=12,
    difficulty="easy",
    feeds="04",
    week="1-2",
    hints=(
        "Which value, made from one name alone, is equal exactly when two names belong together?",
        "Split into words in small letters and sort the words: the order of the name is gone, repeats are not.",
        "A dictionary from the tuple of sorted words to a list of positions; `re.findall` gives the words.",
    ),
    cases=cases,
    expect=by_pairs,
    agree=exact,
    mutants=(
        Mutant(
            "set-of-words",
            "A set forgets how often a word occurs. Names with a word twice and once are different.",
            swaps=(("tuple(sorted(words))", "tuple(sorted(set(words)))"),),
        ),
        Mutant(
            "letters-sorted",
            "The letters of the name were sorted, so different words with the same letters fell together.",
            swaps=(("tuple(sorted(words))", "tuple(sorted(''.join(words)))"),),
        ),
        Mutant(
            "joined-without-separator",
            "The sorted words were joined without anything between them, so it is lost where a word ends.",
            swaps=(("tuple(sorted(words))", "''.join(sorted(words))"),),
        ),
        Mutant(
            "capitals-differ",
            "Capital letters were kept, so GREEN TEA and Green Tea fell apart.",
            swaps=(('re.findall("[a-z0-9]+", name.lower())', 're.findall("[a-zA-Z0-9]+", name)'),),
        ),
        Mutant(
            "split-at-spaces",
            "The names were split at spaces only. Everything but letters and digits separates words.",
            swaps=(('re.findall("[a-z0-9]+", name.lower())', "name.lower().split()"),),
        ),
        Mutant(
            "groups-of-one",
            "Names that are alone were returned as groups. A group has two names or more.",
            swaps=((" if len(group) > 1", ""),),
        ),
        Mutant(
            "blank-names-together",
            "Names without any word were put together, because they share the empty key. They belong to no group.",
            swaps=(("        if words:\n            groups", "        if True:\n            groups"),),
        ),
        Mutant(
            "order-kept",
            "The words were compared in the order of the name. Sort them for the key.",
            swaps=(("tuple(sorted(words))", "tuple(words)"),),
        ),
    ),
    accepted=(sorted_keys, counted_words),
    growth=Growth(
        large, n=1_200, limit=10.0, says="Every pair of names is compared. Give each name a key and group by it."
    ),
    shrink=lists(0, noun="names"),
)
