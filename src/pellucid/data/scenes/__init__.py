"""A generated world with exact labels of every kind."""

from pellucid.data.scenes.backgrounds.textures import texture
from pellucid.data.scenes.colours import COLOURS, Colour
from pellucid.data.scenes.compose import make_scene
from pellucid.data.scenes.crops import make_crop
from pellucid.data.scenes.dice import Dice
from pellucid.data.scenes.difficulty import DIFFICULTIES, Difficulty, filling
from pellucid.data.scenes.drawing.paste import paste, tint
from pellucid.data.scenes.drawing.resize import resize
from pellucid.data.scenes.frozen import card, scene_of, scenes, stream
from pellucid.data.scenes.options import TOLD, Options, parse
from pellucid.data.scenes.scene import KEYPOINTS, Scene, Thing
from pellucid.data.scenes.sprites.cutouts import Catalogue, Sprites
from pellucid.data.scenes.sprites.fashion import CLASSES, fashion_sprites, silhouettes
from pellucid.data.scenes.sprites.kinds import catalogue

__all__ = [
    "CLASSES",
    "COLOURS",
    "DIFFICULTIES",
    "KEYPOINTS",
    "TOLD",
    "Catalogue",
    "Colour",
    "Dice",
    "Difficulty",
    "Options",
    "Scene",
    "Sprites",
    "Thing",
    "card",
    "catalogue",
    "fashion_sprites",
    "filling",
    "make_crop",
    "make_scene",
    "parse",
    "paste",
    "resize",
    "scene_of",
    "scenes",
    "silhouettes",
    "stream",
    "texture",
    "tint",
]
