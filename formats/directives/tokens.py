"""Directive text as tokens, and a cursor over them whose errors name line and column."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from mapsearch.model.errors import DirectiveError, did_you_mean
from mapsearch.model.layer import MAX_EXTENT

# Possessive (`++`, `*+`): a match never gives characters back, so that none costs a hundred bytes of memory for that.
_WORD = r"""(?:(?!//|->)[^\s,;:(){}"])++"""
_TOKEN = re.compile(
    rf"""(?P<skip>(?:[\s,;:()]|->|//[^\n]*+)++)|(?P<brace>[{{}}])|(?P<quoted>"(?:[^"\\\n]|\\.)*+")|(?P<word>{_WORD})"""
)
_NUMBER = re.compile(r"-?[0-9]+")
# Python refuses to read integers of thousands of digits; no legal number has more than these.
_LONGEST_NUMBER = 18
_LONGEST_QUOTE = 40


@dataclass(frozen=True, slots=True)
class Token:
    """A word, a quoted name, a brace, or the end of the text (kind "end"); lines and columns count from 1."""

    kind: str
    text: str
    line: int
    column: int

    @property
    def shown(self) -> str:
        """The token in an error's text."""
        if self.kind == "end":
            return "the end of the text"
        return f"'{self.text}'" if len(self.text) <= _LONGEST_QUOTE else f"'{self.text[:_LONGEST_QUOTE]}…'"


def quoted_name(name: str) -> str:
    """The name as text that reads back as the same name: itself, or a JSON string where it isn't one word."""
    plain = name.isascii() and name.isprintable() and re.fullmatch(_WORD, name)
    return name if plain else json.dumps(name)


def use_one_of(choices: Collection[str], word: str) -> str:
    """The end of an error's text: the legal choices, and the one nearest to `word` if one is near."""
    return f"use one of {', '.join(choices)}{did_you_mean(word, choices)}"


class Cursor:
    """A place in the tokens of a text.

    constants: the Constants so far. context: the item that is being read ("layer conv1: "), for errors.
    """

    def __init__(self, text: str, source: str) -> None:
        self.source = source
        self.context = ""
        self.constants: dict[str, int] = {}
        self.position = 0
        self._tokens = list(self._tokenize(text))

    def _tokenize(self, text: str) -> Iterator[Token]:
        line, line_start, at = 1, 0, 0
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise self.error(Token("word", '"', line, at - line_start + 1), "a quoted name must end on its line")
            kind, found = str(match.lastgroup), match.group()
            if kind != "skip":
                yield Token(kind, found, line, at - line_start + 1)
            elif "\n" in found:
                line += found.count("\n")
                line_start = at + found.rindex("\n") + 1
            at = match.end()
        yield Token("end", "", line, at - line_start + 1)

    def error(self, token: Token, reason: str) -> DirectiveError:
        """The error at a token."""
        return DirectiveError(f"{self.source}:{token.line}:{token.column}: {self.context}{reason}")

    @property
    def token(self) -> Token:
        """The next token."""
        return self._tokens[self.position]

    def take(self) -> Token:
        """Pass the next token and return it; the end of the text is never passed."""
        token = self.token
        self.position = min(self.position + 1, len(self._tokens) - 1)
        return token

    def take_brace(self, brace: str) -> None:
        """Pass a brace."""
        token = self.take()
        if (token.kind, token.text) != ("brace", brace):
            raise self.error(token, f"expected '{brace}', got {token.shown}")

    def take_word(self, what: str, choices: Collection[str]) -> Token:
        """Pass a word that must be one of `choices`."""
        token = self.take()
        if token.kind != "word" or token.text not in choices:
            reason = f"expected a {what}, got {token.shown}; {use_one_of(choices, token.text)}"
            raise self.error(token, reason)
        return token

    def take_name(self, what: str) -> str:
        """Pass a name: a word or a JSON string."""
        token = self.take()
        match token.kind:
            case "word":
                return token.text
            case "quoted":
                try:
                    return str(json.loads(token.text))
                except json.JSONDecodeError as error:
                    raise self.error(token, f"{token.shown} is not a JSON string: {error.msg}") from None
            case _:
                raise self.error(token, f"expected the name of a {what}, got {token.shown}")

    def take_count(self, what: str, least: int = 1, most: int = MAX_EXTENT) -> int:
        """Pass a whole number or the name of a Constant."""
        token = self.take()
        if token.kind != "word" or not _NUMBER.fullmatch(token.text):
            if token.text in self.constants:
                return self.constants[token.text]
            raise self.error(token, f"{what} must be a whole number or a Constant, got {token.shown}")
        if len(token.text) > _LONGEST_NUMBER or not least <= int(token.text) <= most:
            raise self.error(token, f"{what} must be from {least} to {most}, got {token.shown}")
        return int(token.text)

    def take_size(self, what: str, sizes: Mapping[str, int]) -> int:
        """Pass a whole number, a Constant or `Sz(dim)`, which is looked up in `sizes`."""
        if self.token.text != "Sz":
            return self.take_count(what)
        self.take()
        return sizes[self.take_word("dim of the layer", sizes).text]

    def take_share(self, what: str) -> float | Fraction:
        """Pass a decimal number, or a fraction of two whole numbers."""
        token = self.take()
        try:
            return Fraction(token.text) if "/" in token.text else float(token.text)
        except (ValueError, ZeroDivisionError):
            raise self.error(token, f"{what} must be a number, got {token.shown}") from None

    def skip_block(self) -> None:
        """Pass a block in braces with its contents."""
        self.take_brace("{")
        depth = 1
        while depth:
            token = self.take()
            if token.kind == "end":
                raise self.error(token, f"expected '}}', got {token.shown}")
            if token.kind == "brace":
                depth += 1 if token.text == "{" else -1
