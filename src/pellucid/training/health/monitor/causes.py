"""How causes begin that were there before the first step: they are the root of what comes later."""

INITIALISATION = "initialisation: "
INPUT = "the input is not scaled: "
FROM_THE_START = (INITIALISATION, INPUT)
