"""Detection: where is which thing? N pictures, D places for what is found, M for what is there, S side of a mask.

| outputs | shape | meaning |
|---|---|---|
| `loss_NAME` | 0-dim float32 | a loss of the detector, the mean over the pictures; where the batch says what is there |
| `found_boxes_xyxy` | (N, D, 4) float32 | outside training: what was found, in pixels of the network's input |
| `found_scores`, `found_labels` | (N, D) | how sure, falling; class 0..K-1, -1 = nothing |
| `found_masks` | (N, D, S, S) float32 | of networks that learn outlines: probabilities on a grid that fills the box |
| `found_keypoints` | (N, D, P, 3) float32 | of networks that learn keypoints: x, y, score |

| records | shape | meaning |
|---|---|---|
| `boxes_xyxy`, `scores`, `labels` | (N, D, 4), (N, D), (N, D) | what was found, in pixels of the FILE |
| `truth_xyxy`, `truth_label`, `truth_crowd`, `truth_area` | (N, M, 4), (N, M) ... | what is there, in the file |
| `mask_iou`, `mask_area` | (N, D, M), (N, D) | with masks: IoU (of crowds, over the found one), area in the file |
| `keypoint_similarity` | (N, D, M) | with keypoints: object keypoint similarity |
| `truth_points` | (N, M) int64 | with keypoints: how many are marked |
| `size_hw` | (N, 2) | height and width of the file's picture |
| `index` | (N,) int64 | position in the split |
"""

from pellucid.core.task import Task
from pellucid.models.detect import FITTED
from pellucid.tasks.detect.config import DetectConfig
from pellucid.tasks.detect.data import make_data
from pellucid.tasks.detect.fit import fit
from pellucid.tasks.detect.loss import compute_loss, expected_initial_loss
from pellucid.tasks.detect.metrics import METRICS, chance, explain, score, summarise
from pellucid.tasks.detect.model import make_model, resolve
from pellucid.tasks.detect.prediction.draw import draw
from pellucid.tasks.detect.prediction.gathered import CocoResults
from pellucid.tasks.detect.prediction.nothing_found import nothing_found
from pellucid.tasks.detect.prediction.predict import predict, target_score
from pellucid.tasks.detect.prediction.wishes import DetectWishes
from pellucid.tasks.detect.report.sections import sections
from pellucid.tasks.detect.taught import things_of_every_size
from pellucid.tasks.detect.transfer import borrow, plan

TASK = Task(
    name="detect",
    config=DetectConfig,
    resolve=resolve,
    make_data=make_data,
    make_model=make_model,
    compute_loss=compute_loss,
    expected_initial_loss=expected_initial_loss,
    score=score,
    summarise=summarise,
    metrics=METRICS,
    predict=predict,
    draw=draw,
    sections=sections,
    target_score=target_score,
    borrow=borrow,
    plan=plan,
    fit=fit,
    fitted=FITTED,
    chance=chance,
    explain=explain,
    teach=things_of_every_size,
    wishes=DetectWishes,
    gather=CocoResults,
    nothing_found=nothing_found,
)
