"""Fits and measures mw-logit-1, the round model that mw-logit-1.md describes.

    python3 mw-logit-1.py train.csv.zst     # needs numpy, scikit-learn and zstandard

The CSV has one row per snapshot of a round, seen from both sides, with `match_no`, `round_no` and
`round_winner`. Prints what stands in the page and the coefficients for prediction/round.rs.
"""

import csv
import io
import sys

import numpy as np
import zstandard
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, brier_score_loss, log_loss, roc_auc_score
from sklearn.model_selection import GroupKFold

WEAPONS = dict(
    ak47=2700, aug=3300, awp=4750, bizon=1400, cz75auto=500, deagle=700, elite=300, famas=2050,
    fiveseven=500, g3sg1=5000, galilar=1800, glock=200, m249=5200, m4a1s=2900, m4a4=3100,
    mac10=1050, mag7=1300, mp5sd=1500, mp7=1500, mp9=1250, negev=1700, nova=1050, p2000=200,
    p250=300, p90=2350, r8revolver=600, sawedoff=1100, scar20=5000, sg553=3000, ssg08=1700,
    tec9=500, ump45=1200, usps=200, xm1014=2000,
)
GRENADES = dict(
    decoygrenade=50, flashbang=200, hegrenade=300, incendiarygrenade=500, molotovgrenade=400,
    smokegrenade=300,
)
# What a living player is taken to carry where nobody tells, in dollars: the mean of the rows in play.
UNKNOWN_EQUIPMENT = {"ct": 4200, "t": 3900}
CLAMP = (0.001, 0.999)
NAMES = {
    "buy": ["wealth"],
    "open": ["alive", "health", "equipment", "time_left", "last_30s"],
    "planted": ["alive", "health", "equipment", "time_left", "last_10s", "cleared"],
}


def read(path):
    with open(path, "rb") as file:
        text = io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(file))
        rows = list(csv.DictReader(text))

    def number(name):
        return np.array([float(row[name]) for row in rows])

    def equipment(side):
        worth = sum(number(f"{side}_weapon_{name}") * price for name, price in WEAPONS.items())
        worth += sum(number(f"{side}_grenade_{name}") * price for name, price in GRENADES.items())
        worth += number(f"{side}_armor") * 6.5 + number(f"{side}_helmets") * 350
        return worth + (number("ct_defuse_kits") * 400 if side == "ct" else 0)

    data = {name: number(name) for name in ("match_no", "round_no", "time_left", "bomb_planted")}
    for side in ("ct", "t"):
        data[f"{side}_alive"] = number(f"{side}_players_alive")
        for name in ("health", "money", "score"):
            data[f"{side}_{name}"] = number(f"{side}_{name}")
        data[f"{side}_equipment"] = equipment(side)
    data["ct_won"] = np.array([float(row["round_winner"] == "CT") for row in rows])
    return data


def log_ratio(ours, theirs, prior):
    return np.log((ours + prior) / (theirs + prior))


def regimes(d):
    planted = d["bomb_planted"] == 1
    buying = ~planted & (d["time_left"] > 115)
    return {"buy": buying, "open": ~planted & ~buying, "planted": planted}


def features(d):
    alive = log_ratio(d["ct_alive"], d["t_alive"], 0.5)
    health = log_ratio(d["ct_health"], d["t_health"], 50)
    equipment = log_ratio(d["ct_equipment"], d["t_equipment"], 1000)
    wealth = log_ratio(
        d["ct_money"] + d["ct_equipment"], d["t_money"] + d["t_equipment"], 4000
    )
    left = d["time_left"]
    clock = np.clip(left, 0, 115) / 115
    last_30s = np.clip(30 - left, 0, 30) / 30
    bomb = np.clip(left, 0, 40) / 40
    last_10s = np.clip(left, 0, 10) / 10
    cleared = (d["t_alive"] == 0) * 1.0
    return {
        "buy": np.stack([wealth], 1),
        "open": np.stack([alive, health, equipment, clock, last_30s], 1),
        "planted": np.stack([alive, health, equipment, bomb, last_10s, cleared], 1),
    }


def without_economy(d):
    """The rows as a feed without money and equipment would give them."""
    known = dict(d)
    buying = regimes(d)["buy"]
    for side in ("ct", "t"):
        known[f"{side}_equipment"] = d[f"{side}_alive"] * UNKNOWN_EQUIPMENT[side]
        known[f"{side}_equipment"][buying] = 0
        known[f"{side}_money"] = np.full_like(d["ct_money"], 17500)
    return known


def ruled(d):
    """1 or 0 where the rules decide, NaN elsewhere."""
    out = np.full(len(d["ct_won"]), np.nan)
    planted = d["bomb_planted"] == 1
    out[~planted & (d["t_alive"] == 0) & (d["ct_alive"] > 0)] = 1
    out[(d["ct_alive"] == 0) & (planted | (d["t_alive"] > 0))] = 0
    return out


def fit(x, y):
    """Maximum likelihood; the ridge is too weak to matter and only makes it unique."""
    return LogisticRegression(C=1e4, max_iter=10000, tol=1e-8).fit(x, y)


def cross_validated(d, seen):
    """Predictions for each row by models that saw no row of its match; `seen` is what they are shown."""
    x, shown, rule = features(d), features(seen), ruled(d)
    p = np.zeros(len(d["ct_won"]))
    for train, test in GroupKFold(5).split(p, groups=d["match_no"]):
        held_in, held_out = np.zeros(len(p), bool), np.zeros(len(p), bool)
        held_in[train], held_out[test] = True, True
        for name, rows in regimes(d).items():
            use = rows & held_in & np.isnan(rule)
            model = fit(x[name][use], d["ct_won"][use])
            rows = rows & held_out
            p[rows] = model.predict_proba(shown[name][rows])[:, 1]
    return np.clip(np.where(np.isnan(rule), p, rule), *CLAMP)


def print_metrics(title, y, p):
    print(
        f"| {title} | {len(y):,} | {log_loss(y, p):.4f} | {accuracy_score(y, p > 0.5):.4f} "
        f"| {roc_auc_score(y, p):.4f} | {brier_score_loss(y, p):.4f} |"
    )


def print_calibration(what, y, p):
    print(f"\n| predicted | n | mean prediction | {what} |\n|---|---|---|---|")
    for low in np.arange(10) / 10:
        rows = (p >= low) & (p < low + 0.1)
        mean, won = p[rows].mean(), y[rows].mean()
        print(f"| {low:.1f}-{low + 0.1:.1f} | {rows.sum():,} | {mean:.3f} | {won:.3f} |")
    print()


def map_chain(p_ct, half):
    """V[a, b]: P(the team that starts as CT wins the map) before the round at a:b, regulation."""
    v = np.full((half + 2, half + 2), np.nan)
    v[half + 1, :], v[:, half + 1] = 1, 0
    v[half, half] = 0.5
    for a in range(half, -1, -1):
        for b in range(half, -1, -1):
            if a + b < 2 * half:
                p = p_ct if a + b < half else 1 - p_ct
                v[a, b] = p * v[a + 1, b] + (1 - p) * v[a, b + 1]
    return v


def map_rows(d, p):
    """(predicted, won) for the first snapshot of each regulation round of a map that was finished."""
    v, out = map_chain(0.51, 15), []
    starts = np.flatnonzero(np.diff(d["match_no"] * 1000 + d["round_no"], prepend=-1))
    for match in np.unique(d["match_no"]):
        rounds = starts[d["match_no"][starts] == match]
        last = rounds[-1]
        first_is_ct = d["ct_score"][last] + d["t_score"][last] < 15
        score = {True: d["ct_score"][last], False: d["t_score"][last]}
        score[bool(d["ct_won"][last])] += 1
        ours, theirs = score[bool(first_is_ct)], score[not first_is_ct]
        if max(ours, theirs) != 16 or min(ours, theirs) == 15:
            continue  # not seen to its end, or decided in overtime
        for i in rounds:
            ct = d["ct_score"][i] + d["t_score"][i] < 15
            a, b = (d["ct_score"][i], d["t_score"][i]) if ct else (d["t_score"][i], d["ct_score"][i])
            q = p[i] if ct else 1 - p[i]
            a, b = int(a), int(b)
            out.append((q * v[a + 1, b] + (1 - q) * v[a, b + 1], float(ours > theirs)))
    return np.array(out)


def main(path):
    d = read(path)
    y, rows = d["ct_won"], regimes(d)
    p = cross_validated(d, d)
    blind = cross_validated(d, without_economy(d))
    print("| rows | n | log loss | accuracy | AUC | Brier |\n|---|---|---|---|---|---|")
    print_metrics("all", y, p)
    for name, mask in rows.items():
        print_metrics(name, y[mask], p[mask])
    for name, mask in {"all": np.full(len(y), True), **rows}.items():
        print_metrics(f"{name}, economy hidden", y[mask], blind[mask])

    print_calibration("CT won", y, p)
    of_map = map_rows(d, p)
    print_metrics("map, at each round's first snapshot", of_map[:, 1], of_map[:, 0])
    print_calibration("first CT won the map", of_map[:, 1], of_map[:, 0])
    last = np.flatnonzero(np.diff(d["match_no"] * 1000 + d["round_no"], append=-1))
    print(f"CT won {y[last].mean():.4f} of {len(last):,} rounds of {len(np.unique(d['match_no']))} maps")
    open_rows = rows["open"]
    for side in ("ct", "t"):
        heads = d[f"{side}_alive"][open_rows]
        print(side, "equipment per living player", round(d[f"{side}_equipment"][open_rows].sum() / heads.sum()))

    x, rule = features(d), ruled(d)
    for name, mask in rows.items():
        model = fit(x[name][mask & np.isnan(rule)], y[mask & np.isnan(rule)])
        print(f"\n{name}: bias {model.intercept_[0]:.4f}")
        for feature, weight in zip(NAMES[name], model.coef_[0]):
            print(f"  {feature} {weight:.4f}")


if __name__ == "__main__":
    main(sys.argv[1])
