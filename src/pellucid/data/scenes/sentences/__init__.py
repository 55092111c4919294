"""What is true of a scene, said in English and in Chinese."""

from pellucid.data.scenes.sentences.tell import Sentence, caption, sentences

__all__ = ["Sentence", "caption", "sentences"]
