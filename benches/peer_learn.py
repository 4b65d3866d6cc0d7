"""CPU seconds of scikit-learn, mrmr-selection and, where Rscript has it, glmnet on the sizes of benches/learn.rs.

    python -m venv peers && peers/bin/pip install numpy pandas scikit-learn mrmr-selection
    OMP_NUM_THREADS=1 peers/bin/python benches/peer_learn.py
"""
import itertools
import shutil
import subprocess
import time
import warnings

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LassoCV
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import PredefinedSplit

warnings.filterwarnings("ignore")
rng = np.random.default_rng(7)
y = (np.arange(75) % 2 == 0).astype(int)


def data(columns):
    x = rng.uniform(-2, 2, (75, columns))
    x[:, :5] += 0.8 * y[:, None]
    return x


def timed(name, work):
    start = time.process_time()
    work()
    print(f"{name}: {time.process_time() - start:.3f} s CPU", flush=True)


def grid_search():
    x, fold = data(8), np.arange(75) % 5
    for n, depth, leaf in itertools.product((50, 100, 200, 500), (2, 3, 5, None), (1, 3, 5)):
        for f in range(5):
            a, b = fold != f, fold == f
            forest = RandomForestClassifier(n_estimators=n, max_depth=depth, min_samples_leaf=leaf, random_state=1)
            roc_auc_score(y[b], forest.fit(x[a], y[a]).predict_proba(x[b])[:, 1])


def lasso():
    x = data(2264)
    x = (x - x.mean(0)) / x.std(0)
    LassoCV(alphas=100, eps=0.01, cv=PredefinedSplit(np.arange(75) % 5), max_iter=100000).fit(x, y)


def mrmr():
    from mrmr import mrmr_classif

    mrmr_classif(X=pd.DataFrame(data(2264)), y=pd.Series(y), K=50, show_progress=False, n_jobs=1)


def bootstrap():
    s = data(1)[:, 0]
    pos, neg = np.where(y == 1)[0], np.where(y == 0)[0]
    for _ in range(2000):
        i = np.r_[rng.choice(pos, len(pos)), rng.choice(neg, len(neg))]
        roc_auc_score(y[i], s[i])


GLMNET = """
suppressMessages(library(glmnet)); set.seed(7)
y <- as.numeric((0:74) %% 2 == 0); x <- matrix(runif(75 * 2264, -2, 2), 75); x[, 1:5] <- x[, 1:5] + 0.8 * y
path <- function() cv.glmnet(x, y, foldid = (0:74) %% 5 + 1, nlambda = 100, lambda.min.ratio = 0.01)
invisible(path()); spent <- proc.time(); invisible(path()); cat(sum((proc.time() - spent)[1:2]))
"""


def glmnet():
    """The second of two runs: R compiles a function when it has been called."""
    if shutil.which("Rscript") is None:
        return
    answer = subprocess.run(["Rscript", "-e", GLMNET], capture_output=True, text=True)
    print(f"LASSO by glmnet: {answer.stdout} s CPU" if answer.returncode == 0 else "no glmnet for Rscript", flush=True)


timed("bootstrap of 2000 AUCs", bootstrap)
timed("LASSO, 100 lambdas, 5 folds, 75 x 2264", lasso)
glmnet()
timed("mRMR, 50 of 2264", mrmr)
timed("grid search, 48 settings, 5 folds, 75 x 8", grid_search)
