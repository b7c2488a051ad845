"""Classifies iris flowers with a model that is trained once per worker."""
import secrets
from dataclasses import dataclass

from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression


class InputError(Exception):
    error_type = "InputError"


@dataclass
class State:
    model: LogisticRegression
    species: list
    instance: str
    """Drawn at random by load(): answers that share it came from one warm worker."""


def load():
    data = load_iris()
    model = LogisticRegression(max_iter=500).fit(data.data, data.target)
    return State(model, [str(name) for name in data.target_names], secrets.token_hex(8))


def apply(request, state):
    """{"features": [sepal length, sepal width, petal length, petal width] in cm} -> species, probability, instance"""
    features = request.get("features") if isinstance(request, dict) else None
    if not isinstance(features, list) or len(features) != 4 or any(type(x) not in (int, float) for x in features):
        raise InputError('expected {"features": [5.1, 3.5, 1.4, 0.2]}')
    probabilities = state.model.predict_proba([features])[0]
    best = int(probabilities.argmax())
    return {
        "species": state.species[best],
        "probability": round(float(probabilities[best]), 6),
        "instance": state.instance,
    }
