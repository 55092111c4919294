"""Pictures with boxes, outlines and keypoints, from COCO, Pascal VOC, YOLO and tables; broken records are named."""
