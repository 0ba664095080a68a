"""What p is in a file's dropout: the probability of keeping a value, or of dropping it.

Until 2017 the docstring of CS231n's dropout_forward said "We drop each neuron output with
probability p", since then "We keep …", and warns of the other reading in the same breath.
"""

import inspect
import io
import re
import sys
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

_KEEPS = r"keep\w*|kept|retain\w*|retention|surviv\w*|preserv\w*|stay\w*|remain\w*|active|alive"
_DROPS = r"drop(?:s|ped|ping)?(?: out(?! ?(?:rate|prob)))?|zero\w*|remov\w*|discard\w*|kill\w*|" \
         r"(?:turn|switch)\w* off|delet\w*|deactivat\w*|" \
         r"(?:set|put)\w* (?:[\w ]{0,30} )?to (?:0|zero)"
_VERB = rf"(?:(?P<keeps>\b(?:{_KEEPS})\b)|(?P<drops>\b(?:{_DROPS})\b))"
_PROBABILITY = r"\b(?:prob(?:abilit(?:y|ies))?\b\.?|chance|rate|fraction|ratio|share|percentage)"

_STATEMENTS = [
    # keep each neuron output with probability p
    re.compile(rf"{_VERB}[^.;]{{0,60}}\bwith (?:a |the |some )?{_PROBABILITY}(?: of)? "
               r"(?P<complement>\(?1(?:\.0?)? ?- ?)?p\b"),
    # the probability of keeping a neuron is 1 - p
    re.compile(rf"{_PROBABILITY}(?: \w+){{0,3}} {_VERB}[^.;,]{{0,30}}(?:\bis|=|:|equals) ?"
               r"(?P<complement>\(?1(?:\.0?)? ?- ?)?p\b"),
    # p is the probability of keeping a neuron
    re.compile(rf"(?P<complement>\b1(?:\.0?)? ?- ?)?\bp\b[^.;]{{0,60}}?{_PROBABILITY}"
               rf"(?: (?!not\b)[\w']+){{0,4}} {_VERB}"),
    # p: keep probability
    re.compile(rf"(?P<complement>\b1(?:\.0?)? ?- ?)?\bp\b[^.;]{{0,40}}?{_VERB}[- _]?"
               rf"{_PROBABILITY}"),
    # probability p of keeping a neuron
    re.compile(rf"{_PROBABILITY} (?P<complement>\(?1(?:\.0?)? ?- ?)?p\b(?: [\w']+){{0,4}} {_VERB}"),
]
"""Sentences, in small letters, that say what p is; ``complement`` where they speak of 1 - p."""

_P = r"(?<![a-z0-9_])p(?![a-z0-9_])"
_EASTERN_PROBABILITY = re.compile("概率|几率|機率|確率|확률")
_EASTERN_KEEPS = re.compile("保留|保持|激活|存活|残す|残る|유지|살아")
_EASTERN_DROPS = re.compile("丢弃|丢掉|舍弃|丢失|落とす|消す|제거|버리|버릴")
_EASTERN_CONTRAST = re.compile("不是|并非|不同于|ではなく|아니라")
"""Chinese, Japanese and Korean; 失活 is left out, being the word for dropout itself."""

_CONTRAST = re.compile(r"\b(?:contrary|opposed|unlike|rather than|instead of|contrast|not|never|"
                       r"elsewhere|others?|some (?:sources|texts|papers|people|books|authors))\b")
"""After one of these a sentence speaks of what p is not, until it says ``here`` or ``we``."""

_HERE = re.compile(r"\b(?:here|this|we|our|ours|but)\b")


@dataclass(frozen=True)
class Meaning:
    """What a file says p is.

    Attributes
    ----------
    drops : bool
        Whether p is the probability of dropping a value.
    quote : str
        The sentence that says so.
    """

    drops: bool
    quote: str


def meaning_of_p(function: Callable[..., Any]) -> Meaning | None:
    """What p is for a dropout_forward: its docstring decides, then its comments, then its module's.

    None where they say nothing, or both.
    """
    module = sys.modules.get(getattr(function, "__module__", ""))
    for texts in (
        [(inspect.getdoc(function) or "", False)], _comments(function),
        [(inspect.getdoc(module) or "", False)], _comments(module),
    ):
        found = [each for text, of_p in texts for each in statements(text, of_p=of_p)]
        if len({each.drops for each in found}) == 1:
            return found[0]
    return None


def statements(text: str, *, of_p: bool = False) -> Iterator[Meaning]:
    """What the sentences of a text say of p; one that stands beside p need not name it."""
    for sentence in _sentences(text):
        plain = " ".join(re.sub(r"[*`'\"]|\[|\]", " ", sentence.lower()).split())
        plain = f"p: {plain}" if of_p else plain
        for pattern in _STATEMENTS:
            for match in pattern.finditer(plain):
                before = plain[:match.start("keeps" if match["keeps"] else "drops")]
                if not _is_contrast(before):
                    yield Meaning((match["drops"] is not None) != (match["complement"] is not None),
                                  sentence)
        yield from _eastern_statements(sentence)


def _eastern_statements(sentence: str) -> Iterator[Meaning]:
    """What its clauses say of p in Chinese, Japanese or Korean."""
    for clause in re.split("[，。；、,.;]", sentence.lower()):
        keeps, drops = _EASTERN_KEEPS.search(clause), _EASTERN_DROPS.search(clause)
        speaks_of_p = re.search(_P, clause) and _EASTERN_PROBABILITY.search(clause)
        if speaks_of_p and not _EASTERN_CONTRAST.search(clause) and (keeps is None) != (
            drops is None
        ):
            complement = re.search(rf"1(?:\.0?)? ?- ?{_P}", clause) is not None
            yield Meaning((drops is not None) != complement, sentence)


def _is_contrast(before: str) -> bool:
    """Whether what follows is said of something else than this p."""
    last = max((each.end() for each in _CONTRAST.finditer(before)), default=None)
    return last is not None and _HERE.search(before, last) is None


def _sentences(text: str) -> list[str]:
    """A text's sentences; a new item of a list begins another one."""
    items = re.split(r"\n\s*\n|\n\s*(?=[-*+•] |\w+\s?:)", text)
    return [
        " ".join(sentence.split()) for item in items
        for sentence in re.split(r"(?<=[.;!?])\s+(?=[A-Z(\"'])", item)
    ]


def _comments(owner: Any) -> list[tuple[str, bool]]:
    """The comments in a function or module, and whether each stands behind code that sets p.

    Those on lines that follow one another are one text.
    """
    try:
        source = inspect.getsource(owner)
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (OSError, TypeError, SyntaxError, tokenize.TokenError):
        return []
    texts: list[tuple[str, bool]] = []
    last = -2
    for token in tokens:
        if token.type != tokenize.COMMENT:
            continue
        text, (row, column) = token.string.strip("# \t"), token.start
        code = token.line[:column].strip()
        if row == last + 1 and not code:
            before, of_p = texts.pop()
            texts.append((f"{before}\n{text}", of_p))
        else:
            texts.append((text, re.match(r"p\b[\w, ]*=[^=]", code) is not None))
        last = row
    return texts
