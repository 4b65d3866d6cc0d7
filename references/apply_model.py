#!/usr/bin/env python3
"""An independent reader of osteon model files (versions 1 to 3); needs numpy and nothing else.

    apply_model.py model.json row.json          one patient: {"image.intra.FEATURE": 1.5, "alp": 300, ...}, or the JSON
                                                that osteon predict --format json prints (its member "inputs")
    apply_model.py model.json rows.csv          one patient a row, columns named like those members
    apply_model.py model.json --features f.csv --set alp=300 --set pathological_fracture=yes
                                                features as osteon features prints them (roi,feature,value)
    apply_model.py model.json --check           the hash, and the file's own examples

A model whose features are harmonized (version 3) needs the patient's batch: a member "batch", by its name or code.
Features may be named slot.region.feature, region.feature or feature. Prints the probability with 17 digits, or with
--format json everything that leads to it. Exit code 0; 2 where something is wrong.
"""

import argparse
import csv
import hashlib
import json
import sys

import numpy as np

MISSING = {"", "na", "n/a", "nan", "null", ".", "-", "?", "missing", "unknown"}


class Refused(Exception):
    """Why a file or a row cannot be used."""


# ---- the hash: SHA-256 of the canonical form (RFC 8785) of all members but sha256


def number(value):
    """A double as ECMAScript writes it."""
    value = float(value)
    if value == 0:
        return "0"
    mantissa, _, power = repr(abs(value)).partition("e")
    whole, _, part = mantissa.partition(".")
    digits = (whole + part).lstrip("0")
    # Position of the decimal point behind the first digit, counted from the left of all digits.
    point = len(whole) + int(power or 0) - (len(whole + part) - len((whole + part).lstrip("0")))
    digits = digits.rstrip("0")
    k, n, sign = len(digits), point, "-" if value < 0 else ""
    if k <= n <= 21:
        return sign + digits + "0" * (n - k)
    if 0 < n <= 21:
        return sign + digits[:n] + "." + digits[n:]
    if -6 < n <= 0:
        return sign + "0." + "0" * -n + digits
    exponent = ("+" if n > 0 else "") + str(n - 1)
    return sign + digits[0] + ("." + digits[1:] if k > 1 else "") + "e" + exponent


def canonical(value):
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, (int, float)):
        return number(value)
    if isinstance(value, list):
        return "[" + ",".join(canonical(item) for item in value) + "]"
    names = sorted(value, key=lambda name: name.encode("utf-16-be"))
    return "{" + ",".join(json.dumps(n, ensure_ascii=False) + ":" + canonical(value[n]) for n in names) + "}"


def digest(model):
    rest = {name: member for name, member in model.items() if name != "sha256"}
    return hashlib.sha256(canonical(rest).encode("utf-8")).hexdigest()


def load(path):
    with open(path, encoding="utf-8") as file:
        model = json.load(file)
    # Version 2: the Rad-score is the LASSO's linear score, and a source says so by its link. Version 3: features are
    # harmonized, and a source says so by its batches.
    has = lambda member: any(member in source for source in model.get("sources", []))
    expected = 3 if has("combat") else 2 if has("link") else 1
    if model.get("format") != "osteon model" or model.get("version") != expected:
        raise Refused(f"{path}: format {model.get('format')!r}, version {model.get('version')!r}; "
                      f"expected 'osteon model', {expected}")
    if digest(model) != model["sha256"]:
        raise Refused(f"{path}: changed after it was written, its hash is {digest(model)}")
    return model


# ---- one patient


def rad_sources(model):
    """The sources that the Rad-score is made of."""
    rad_score = model["rad_score"]
    names = [rad_score["source"]]
    if rad_score["fusion"] is not None:
        names = [term["variable"] for term in rad_score["fusion"]["terms"]]
    found = {source["name"]: source for source in model["sources"]}
    return [found[name] for name in names]


def forest_probability(forest, z):
    """Mean of the trees' leaf values; left where z[feature] <= threshold."""
    total = 0.0
    for tree in forest["trees"]:
        left, right = tree["children_left"], tree["children_right"]
        node = 0
        while left[node] != -1:
            node = left[node] if z[tree["feature"][node]] <= tree["threshold"][node] else right[node]
        total += tree["value"][node]
    return total / len(forest["trees"])


def measured(row, slot, part):
    """A measured value, by slot.region.feature, region.feature or feature."""
    names = [".".join([slot, part["region"], part["feature"]]), ".".join([part["region"], part["feature"]]),
             part["feature"]]
    found = [row[name] for name in names if name in row and str(row[name]).strip() != ""]
    if not found:
        raise Refused(f"no value of {names[0]}")
    return float(found[0])


def feature_value(row, part):
    now = measured(row, part["slot"], part)
    if part["change"] is None:
        return now
    was = measured(row, part["earlier"], part)
    return now - was if part["change"] == "difference" else now / was


def batch_of(model, source, row):
    """Position of the patient's batch among those of a source; None where features are taken as measured."""
    if "combat" not in source:
        return None
    given = lambda name: str(row.get(name) or "").strip()
    found = given("batch." + source["name"]) or given("batch")
    if not found:
        names = [given("batch." + slot) for slot in source["combat"]["slots"]]
        found = " + ".join(dict.fromkeys(names)) if all(names) else ""
    if not found:
        raise Refused(f"features are harmonized by {model['combat']['by']}, and the row has no batch")
    plain = " ".join(found.split()).lower()
    text = f"osteon batch\n{model['origin']['inputs']}\n{plain}"
    code = hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]
    for at, batch in enumerate(source["combat"]["batches"]):
        if batch["code"] in (code, found):
            return at
    raise Refused(f"batch {found!r} is none of those that the model's features were harmonized for")


def source_score(model, source, row):
    """The forest's probability or the linear score, and the Mahalanobis distance to the training patients."""
    raw = np.array([feature_value(row, part) for part in source["features"]], dtype=float)
    batch = batch_of(model, source, row)
    if batch is not None:
        maps = [part["maps"][batch] for part in source["features"]]
        raw = np.array([it["intercept"] for it in maps]) + np.array([it["slope"] for it in maps]) * raw
    means = np.array([part["mean"] for part in source["features"]])
    sds = np.array([part["sd"] for part in source["features"]])
    z = (raw - means) / sds
    inverse = np.linalg.pinv(np.array(source["covariance"], dtype=float), rcond=1e-10, hermitian=True)
    score = forest_probability(source["forest"], z)
    if "link" in source:
        score = source["lasso_intercept"] + float(z @ np.array([part["weight"] for part in source["features"]]))
    return score, float(np.sqrt(max(z @ inverse @ z, 0.0)))


def linear_predictor(part, values):
    b = np.array([term["coefficient"] for term in part["terms"]])
    return part["intercept"] + float(np.sum(b * np.array(values)))


def variable_of(model, name):
    for variable in model["codebook"].get("variable", []):
        if variable["name"] == name:
            return variable
    raise Refused(f"the codebook has no variable {name}")


def level_of(variable, text):
    """The level that a word or code means."""
    word = str(text).strip().lower()
    words = variable.get("words", {})
    for level in variable["levels"]:
        if word == level.lower() or word in (str(also).lower() for also in words.get(level, [])):
            return level
    raise Refused(f"{variable['name']} is {text!r}, expected one of {', '.join(variable['levels'])}")


def term_value(model, term, row):
    """The value of a term, or None where it is missing."""
    name = term["variable"]
    text = row.get(name)
    if name == "rad_score":
        return None if text is None else float(text)
    if text is None:
        return None
    variable = variable_of(model, name)
    if term["level"] is not None:
        known = variable["levels"]
        if str(text).strip().lower() in MISSING and str(text).strip().lower() not in (l.lower() for l in known):
            return None
        return 1.0 if level_of(variable, text) == term["level"] else 0.0
    if isinstance(text, (int, float)):
        return float(text)
    if str(text).strip().lower() in MISSING:
        return None
    return float(str(text).strip().replace(",", "."))


def apply(model, row):
    """Everything from the features and the clinical values of one patient to the probability."""
    found = {}
    row = dict(row)
    if "rad_score" not in row:
        scores = [source_score(model, source, row) for source in rad_sources(model)]
        fusion = model["rad_score"]["fusion"]
        row["rad_score"] = scores[0][0]
        if fusion is not None:
            row["rad_score"] = sigmoid(linear_predictor(fusion, [score for score, _ in scores]))
        found["distance"] = max(distance for _, distance in scores)
    values = []
    for term in model["combined"]["terms"]:
        value = term_value(model, term, row)
        value = term["fill"] if value is None else value
        if value is None:
            raise Refused(f"{term['variable']} is missing, and the model has nothing to stand for it")
        values.append(value)
    eta = linear_predictor(model["combined"], values)
    x = np.array([1.0] + values)
    half = 1.959963984540054 * np.sqrt(max(x @ np.array(model["combined"]["covariance"]) @ x, 0.0))
    found.update(rad_score=row["rad_score"], linear_predictor=eta, probability=sigmoid(eta),
                 low=sigmoid(eta - half), high=sigmoid(eta + half))
    return found


def sigmoid(eta):
    return float(1.0 / (1.0 + np.exp(-eta)))


# ---- rows of patients


def rows_of(path):
    if path.endswith(".json"):
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
        found = found if isinstance(found, list) else [found]
        return [row.get("inputs", row) for row in found]
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def features_of(path):
    with open(path, encoding="utf-8-sig", newline="") as file:
        return {f"{row['roi']}.{row['feature']}": row["value"] for row in csv.DictReader(file)}


def check(model):
    for example in model["examples"]:
        own = apply(model, example["inputs"])
        for name in ("rad_score", "linear_predictor", "probability"):
            if abs(own[name] - example[name]) > 1e-12 * (1 + abs(example[name])):
                raise Refused(f"example {example['name']}: {name} is {own[name]!r}, the file says {example[name]!r}")
    print(f"ok: hash {model['sha256']}, {len(model['examples'])} examples")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("rows", nargs="?")
    parser.add_argument("--features")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    arguments = parser.parse_args()
    try:
        model = load(arguments.model)
        if arguments.check:
            return check(model)
        rows = rows_of(arguments.rows) if arguments.rows else [{}]
        more = features_of(arguments.features) if arguments.features else {}
        more.update(assignment.split("=", 1) for assignment in arguments.set)
        found = [apply(model, {**row, **more}) for row in rows]
    except (Refused, OSError, ValueError, KeyError) as why:
        print(f"apply_model: {why}", file=sys.stderr)
        sys.exit(2)
    if arguments.format == "json":
        print(json.dumps(found if len(found) > 1 else found[0]))
    else:
        for one in found:
            print(repr(one["probability"]))


if __name__ == "__main__":
    main()
