"""The problem file as a JSON Schema, for editors that complete and check TOML.

Its keys are those that the reader knows: each table is made from the reader's own list, so that the two cannot drift
apart. Here stands what a key means, and what may stand behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from derive.problem import ask, batches, convention, read, train, update
from derive.problem.functions import FUNCTIONS
from derive.problem.rules import RULES

Schema = dict[str, Any]

NAME = "^[A-Za-z][A-Za-z0-9_]*$"


def schema() -> Schema:
    """The schema, as plain data. Draft 7, which the editors' TOML tools read."""
    top = _table(read.KEYS, TOP, "A problem for derive.")
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "derive: a problem file",
        **top,
        "definitions": DEFINITIONS,
    }


def _table(keys: Iterable[str], described: Mapping[str, Schema], description: str = "") -> Schema:
    """A table with exactly these keys."""
    made: Schema = {"type": "object", "properties": {key: described.get(key, {}) for key in keys}}
    return {**({"description": description} if description else {}), **made, "additionalProperties": False}


def _ref(name: str, description: str = "") -> Schema:
    found = {"$ref": f"#/definitions/{name}"}
    return {"description": description, "allOf": [found]} if description else found


def _of(description: str, *forms: Schema) -> Schema:
    """A value of one of several forms."""
    return {"description": description, **(forms[0] if len(forms) == 1 else {"anyOf": list(forms)})}


def _by_name(value: Schema, description: str = "") -> Schema:
    """A table whose keys are names of the problem."""
    made = {"type": "object", "additionalProperties": value}
    return {"description": description, **made} if description else made


def _listed(value: Schema, least: int = 0) -> Schema:
    return {"type": "array", "items": value, **({"minItems": least} if least else {})}


TEXT: Schema = {"type": "string"}
SWITCH: Schema = {"type": "boolean"}
FALSE: Schema = {"const": False}
NAMES = _listed(TEXT)


def _words(words: Iterable[str]) -> Schema:
    return {"type": "string", "enum": list(words)}


def _whole(least: int, most: int) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": most}


DEFINITIONS: dict[str, Schema] = {
    "number": _of(
        "A decimal, read exactly as it stands; a fraction stands in quotes.",
        {"type": "number"},
        {"type": "string", "pattern": r"^\s*[+-]?[0-9._eE+-]+\s*(/\s*[+-]?[0-9._eE+-]+\s*)?$"},
    ),
    "value": _of(
        "A number is a scalar, a flat list a row (1 x n), a nested list a matrix.",
        {"$ref": "#/definitions/number"},
        _listed({"$ref": "#/definitions/value"}, 1),
        {
            "type": "object",
            "properties": {"file": _of("An .npy or .npz file beside the problem.", TEXT), "array": TEXT},
            "required": ["file"],
            "additionalProperties": False,
        },
        {
            "description": "The members of a family by their numbers.",
            "type": "object",
            "patternProperties": {"^-?[0-9]+$": {"$ref": "#/definitions/value"}},
            "additionalProperties": False,
        },
    ),
    "text": _of(
        "A text, or one for each language.",
        TEXT,
        {
            "type": "object",
            "patternProperties": {"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$": TEXT},
            "additionalProperties": False,
            "minProperties": 1,
        },
    ),
    "rate": _of(
        "One rate for all parameters, or one for each by name; rest stands for those left out.",
        {"$ref": "#/definitions/number"},
        _by_name({"$ref": "#/definitions/number"}),
    ),
}
NUMBER, VALUE, RATE = _ref("number"), _ref("value"), _ref("rate")
BY_PARAMETER = _of("A value, or one for each parameter by name.", VALUE, _by_name(VALUE))

UPSTREAM = {
    "type": "object",
    "properties": {
        "of": _of("The scalar function that is known by its gradient.", TEXT),
        "at": _of("The name at which the gradient is known.", TEXT),
        "value": _ref("value", "Its numbers, if they are known."),
    },
    "required": ["of", "at"],
    "additionalProperties": False,
}

UPDATE: dict[str, Schema] = {
    "rate": RATE,
    "rest": _ref("number", "The rate of the parameters that the table of rates leaves out."),
    "symbol": _of('The name of the rate, such as "alpha".', TEXT),
    "steps": _of("How many updates; with over, how many passes.", _whole(1, update.MOST_STEPS)),
    "show": _of("Values, gradients and parameters to show after each update.", NAMES),
    "every": _of("Show every so many updates.", _whole(1, update.MOST_STEPS)),
    "rule": _of("The rule of the update.", _words(RULES)),
    "form": _of(
        "One of the forms of the rule.", _words(sorted({f for rule in RULES.values() for f in rule.forms if f}))
    ),
    "decay": _of("Weight decay: one strength, or one for each parameter by name.", NUMBER, _by_name(NUMBER)),
    "decoupled": _of("Decay beside the rule and not in the gradient, as in AdamW.", SWITCH),
    "t": _of("How many updates went before.", _whole(0, update.MOST_STEPS)),
    "state": _by_name(BY_PARAMETER, "What earlier updates left: the moments m and v, by parameter."),
    "with": _of("Gradients that are given, in place of a loss.", BY_PARAMETER, _listed(BY_PARAMETER, 1)),
    "over": _of("Data whose rows are samples: each update uses the next of them.", NAMES),
    "batch": _of("How many samples an update uses.", _whole(1, 10**9)),
    "along": _of("1 where the columns are samples.", _whole(0, 1)),
    "each": _of("An entry of the history for every update, or for every pass.", _words(("update", "pass"))),
    "order": _of(
        "The order of the samples, counted from 0: one for all passes, or one for each.",
        _listed(_whole(0, 10**9), 1),
        _listed(_listed(_whole(0, 10**9), 1), 1),
    ),
}
CONSTANTS = {name: NUMBER for rule in RULES.values() for constant in rule.constants.values() for name in constant.names}

TRAIN: dict[str, Schema] = {
    "rate": RATE,
    "rest": UPDATE["rest"],
    "symbol": UPDATE["symbol"],
    "until": _of('"E < 0.01" with the name of the loss, or "settled".', TEXT),
    "tolerance": _ref("number", "Settled is what changes by no more than this share."),
    "at_most": _of("The most updates.", _whole(1, train.MOST_UPDATES)),
}

QUOTIENT = _table(
    ("of", "entry", "h"), {"of": TEXT, "entry": _of("Counted from 1.", TEXT, _listed(_whole(1, 10**9))), "h": NUMBER}
)

TRACED = _table(("of", "entry"), {"of": TEXT, "entry": _of("Counted from 1.", TEXT, _listed(_whole(1, 10**9)))})

ASK: dict[str, Schema] = {
    "loss": _of("The equation to differentiate; the last one if nothing else is said.", TEXT),
    "gradients": _of('Names, or ratios such as "do/dz_o" and "d2f/dx2".', _words(("parameters", "all")), _listed(TEXT)),
    "update": _of(
        "Updates of the parameters; false drops one that a part would inherit.",
        FALSE,
        _table((*update.KEYS, *batches.KEYS, *CONSTANTS), {**UPDATE, **CONSTANTS}),
    ),
    "upstream": _of("A gradient that is taken as known.", UPSTREAM, _listed(UPSTREAM, 1)),
    "train": _of("Updates until the loss is small or settles.", SWITCH, _table(train.KEYS, TRAIN)),
    "shapes": _of("A section on sizes and parameter counts.", SWITCH),
    "graph": _of("The computational graph.", SWITCH),
    "costs": _of("The operations of both passes.", SWITCH),
    "code": _of("Both passes in NumPy.", SWITCH),
    "paths": _of("Entries whose paths to the loss are drawn.", FALSE, TRACED, _listed(TRACED, 1)),
    "recursion": _of("The recursion over a loop.", SWITCH),
    "choose": _of("One right formula among wrong ones, for the derivatives by these names.", NAMES),
    "judge": _of("A formula to be called right or wrong, for the derivatives by these names.", NAMES),
    "find_error": _of("The way back with one slip in it.", SWITCH),
    "forward": _of(
        "Forward mode: names to move, or directions by name.",
        FALSE,
        _by_name(VALUE),
        _listed({"anyOf": [TEXT, _by_name(VALUE)]}, 1),
    ),
    "in_terms_of": _of(
        "The names that formulas may use, for all gradients or by gradient.", FALSE, NAMES, _by_name(NAMES)
    ),
    "delta": _of("Names of error signals: z to the name of dE/dz.", FALSE, _by_name(TEXT)),
    "batch": _of(
        "The same network for a batch of samples.",
        FALSE,
        TEXT,
        _table(("size", "of", "reduction"), {"size": TEXT, "of": NAMES, "reduction": _words(("sum", "mean"))}),
    ),
    "differences": _of("Difference quotients of single entries.", FALSE, QUOTIENT, _listed(QUOTIENT, 1)),
}

CONVENTION: dict[str, Schema] = {
    "style": _of("How derivatives are written.", _words(convention.STYLES), _listed(_words(convention.STYLES), 1)),
    "digits": _of("Decimals shown.", _whole(0, convention.MOST_DIGITS)),
    "significant": _of("Significant digits shown, in place of decimals.", _whole(1, convention.MOST_DIGITS)),
    "relu_at_zero": _ref("number", "The derivative of ReLU at 0, from 0 to 1."),
    "layout": _of("A gradient has the shape of its variable, or numerator layout.", _words(convention.WORDS["layout"])),
    "rounding": _of("How a digit is rounded that is exactly in the middle.", _words(convention.WORDS["rounding"])),
    "fractions": _of("Exact values are printed as fractions, where these are short.", SWITCH),
    "carry": _of("Later steps use full values, or those that are displayed.", _words(convention.WORDS["carry"])),
}
for _key, _said in {
    "delta_sign": "An error signal is dE/dz, or its negative.",
    "index_order": "What the first index of a weight is.",
    "decimal": "The sign in printed decimals; the report's language has one of its own.",
}.items():
    if _key in convention.WORDS:
        CONVENTION[_key] = _of(_said, _words(convention.WORDS[_key]))

SIZES = _listed({"anyOf": [_whole(1, read.LARGEST_SIZE), TEXT]})
SHARED: dict[str, Schema] = {
    "given": _by_name(VALUE, "Data that is not trained."),
    "parameters": _by_name(VALUE, "What is trained."),
    "shapes": _by_name({"anyOf": [SIZES, _by_name(SIZES)]}, 'Sizes in place of numbers: ["N", 3]; [] is a scalar.'),
    "functions": {
        **_by_name(TEXT, 'Activations of your own: "unspecified", or a formula in one variable.'),
        "propertyNames": {"pattern": NAME, "not": {"enum": sorted(FUNCTIONS)}},
    },
    "names": _by_name(TEXT, 'Names of single entries, row by row: "w_1 w_2; w_3 w_4".'),
    "symbols": _by_name(TEXT, r"LaTeX of a name: '\mathbf{W}_1'."),
    "captions": _by_name(_ref("text"), "Prose for a name."),
    "ask": _table(ask.KEYS, ASK, "What is wanted."),
    "convention": _table(convention.KEYS, CONVENTION, "How things are laid out, rounded and written."),
}
PART: dict[str, Schema] = {
    "name": _of("The part's name.", TEXT),
    "title": _ref("text", "The part's title."),
    **SHARED,
}
TOP: dict[str, Schema] = {
    "format": _of("The version of this format.", _whole(1, read.FORMAT)),
    "title": _ref("text", "The problem's title."),
    "equations": _of("One equation a line, as in NumPy: h = sigmoid(x @ W + b)   # caption", TEXT),
    **SHARED,
    "part": _of(
        "Parts over one network, each laid over the tables above.",
        _listed({**_table(read.PART_KEYS, PART), "required": ["name"]}),
    ),
}
