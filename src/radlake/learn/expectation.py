"""What so few or many cases can show, known before anything is trained."""

from __future__ import annotations

import math

from radlake.learn.families import Task
from radlake.learn.problem import Fingerprint

_EVENTS_PER_FEATURE = 10  # Peduzzi et al. (1996)


def auc_standard_error(area: float, positive: int, negative: int) -> float:
    """Standard error of an AUC that so many cases give.

    References
    ----------
    Hanley and McNeil (1982), The meaning and use of the area under a ROC curve, Radiology 143, 29-36, equation 2.

    Examples
    --------
    >>> round(auc_standard_error(0.8, 50, 50), 4)
    0.0445
    """
    one, two = area / (2 - area), 2 * area**2 / (1 + area)
    spread = area * (1 - area) + (positive - 1) * (one - area**2) + (negative - 1) * (two - area**2)
    return math.sqrt(spread / (positive * negative))


def what_it_can_show(found: Fingerprint, task: Task) -> str:
    """One or two sentences, before anything is trained: how sure a score will be, and how many features are too many.

    The interval is for an AUC of .80 and one case a patient (for regression an R2 of .5); a model with more features
    than a tenth of the rarer class tends to fit noise unless it is penalised.

    References
    ----------
    Peduzzi et al. (1996), A simulation study of the number of events per variable, J Clin Epidemiol 49, 1373-1379;
    Olkin and Finn (1995), Correlations redux, Psychological Bulletin 118, 155-164, for R2.

    Examples
    --------
    >>> few = Fingerprint(200, 200, 13, 31, (0.845, 0.155), 0.0, 0, (), (), ())
    >>> what_it_can_show(few, "binary")
    '31 patients with the rarer class: expect an AUC of .80 to be sure within +-.10; 13 features are too many for them \
(about 3 could be weighed freely), so that models with a penalty or few features come first.'
    """
    if task == "regression":
        spread = 1.96 * math.sqrt(4 * 0.5 * 0.25 / max(found.groups, 1))
        text = f"{found.groups} patients: expect an R2 of .50 to be sure within +-{_short(spread)}"
    else:
        others = max(found.groups - found.fewest, 1)
        spread = 1.96 * auc_standard_error(0.8, found.fewest, others)
        text = (
            f"{found.fewest} patients with the rarer class: expect an AUC of .80 to be sure within +-{_short(spread)}"
        )
    if not found.features:  # images
        return f"{text}."
    bearable = max(1, found.fewest // _EVENTS_PER_FEATURE)
    if found.features <= bearable:
        return f"{text}; {found.features} features are not too many."
    return (
        f"{text}; {found.features} features are too many for them (about {bearable} could be weighed freely), so that"
        " models with a penalty or few features come first."
    )


def _short(value: float) -> str:
    """Two digits without the leading zero."""
    return f"{value:.2f}".removeprefix("0")
