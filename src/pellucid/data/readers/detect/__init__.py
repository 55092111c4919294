"""Pictures with boxes, outlines and keypoints, from COCO, Pascal VOC, YOLO and tables; broken records are named."""

KINDS = {  # of problems that these readers name, beside those of pictures (see `data.image_file`) -> what it means
    "missing": "the picture, or the file that is named, is not there",
    "outside-root": "a path or a link leads out of the folder of the data set; it was not opened",
    "unreadable": "the annotation of a picture cannot be read, or must not be, so the picture is left out",
    "no-annotation": "VOC: a picture without an XML file, of which nobody knows whether something is in it",
    "no-split": "COCO: a file whose name says no split, beside others whose names do",
    "size-mismatch": "the annotation speaks of a picture of another size, so its boxes would be wrong",
    "duplicate": "the same picture, or the same line, is said twice; it counts once",
    "duplicate-id": "COCO: two pictures with one id are left out both; of two things with one id a copy is left out",
    "two-splits": "a picture is in two splits; it stays in the one that is held out, or was said first",
    "missing-field": "a record lacks what it cannot do without",
    "unknown-image": "COCO: a thing in a picture that no list names",
    "unknown-class": "a thing of a class that no list names",
    "bad-label": "YOLO: a line with too few or too many words, or words that are no numbers",
    "bad-box": "a box with NaN, without width or height, or absurdly far away",
    "bad-outline": "an outline without three corners, or run lengths that do not fit the picture",
    "bad-area": "COCO: an area that is none; the thing is kept, with the area of its outline or box",
    "bad-keypoints": "keypoints that are none; of COCO the thing is kept, with keypoints that are not marked",
    "no-outlines": "VOC: instance masks that are not there or do not fit; of `ImageSets/Segmentation` the picture is "
    "left out, else no outline is used",
    "outlines-by-overlap": "VOC: instance masks whose numbers are not those of the objects; boxes got those that fit",
    "mixed-outlines": "only some things have outlines, so none is used; all boxes are",
    "begins-at-zero": "VOC: a box begins at 0, but pixels count from 1; it is kept, but its tool may have other rules",
}
