"""Our functions behind ONNX's operators: attributes and inputs are put into our terms, the arithmetic is ours."""

import adapt_entries as entries
import adapt_norms as norms
import adapt_pictures as pictures
import adapt_sequences as sequences
import adapt_training as training

from pellucid.scratch.activations.erf import erf
from pellucid.scratch.activations.hard_swish import hard_swish_forward
from pellucid.scratch.activations.relu import relu_forward
from pellucid.scratch.activations.sigmoid import sigmoid_forward
from pellucid.scratch.activations.tanh import tanh_forward
from pellucid.scratch.graph.functions.exponentials import exp
from pellucid.scratch.graph.functions.powers import reciprocal, root
from pellucid.scratch.graph.functions.table import FUNCTIONS
from pellucid.scratch.losses.binary_cross_entropy import softplus
from pellucid.scratch.losses.softmax import log_softmax, softmax

# operator -> function(attributes of the node, inputs, None for one that is left out, opset) -> outputs
ADAPTERS: dict[str, entries.Adapter] = {
    "Conv": pictures.conv,
    "ConvTranspose": pictures.conv_transpose,
    "Col2Im": pictures.columns_to_image,
    "MaxPool": pictures.max_pool,
    "AveragePool": pictures.average_pool,
    "GlobalAveragePool": pictures.global_average_pool,
    "GlobalMaxPool": pictures.global_max_pool,
    "MaxUnpool": pictures.max_unpool,
    "Resize": pictures.resize,
    "Upsample": pictures.upsample,
    "BatchNormalization": norms.batch_norm,
    "InstanceNormalization": norms.instance_norm,
    "GroupNormalization": norms.group_norm,
    "LayerNormalization": norms.layer_norm,
    "MeanVarianceNormalization": norms.mean_variance_norm,
    "LRN": norms.lrn,
    "RNN": sequences.rnn,
    "GRU": sequences.gru,
    "LSTM": sequences.lstm,
    "Attention": sequences.attention,
    "Dropout": training.dropout,
    "SoftmaxCrossEntropyLoss": training.softmax_cross_entropy,
    "Adam": training.adam,
    "Adagrad": training.adagrad_rule,
    "Momentum": training.momentum,
    "Softmax": entries.along_axis(softmax),
    "LogSoftmax": entries.along_axis(log_softmax),
    "Relu": entries.forward(relu_forward),
    "LeakyRelu": entries.leaky_relu,
    "PRelu": entries.prelu,
    "Elu": entries.elu,
    "Selu": entries.selu,
    "Sigmoid": entries.forward(sigmoid_forward),
    "Tanh": entries.forward(tanh_forward),
    "HardSigmoid": entries.hard_sigmoid,
    "HardSwish": entries.forward(hard_swish_forward),
    "Gelu": entries.gelu,
    "Swish": entries.swish,
    "Softplus": entries.plain(softplus),
    "Erf": entries.plain(erf),
    "Gemm": entries.gemm,
    "MatMul": entries.matmul,
    "Gather": entries.gather,
    "Transpose": entries.transpose,
    "Add": entries.forward(entries.add),
    "Sub": entries.forward(entries.subtract),
    "Mul": entries.forward(entries.multiply),
    "Div": entries.forward(entries.divide),
    "Neg": entries.forward(entries.negate),
    "Pow": entries.powers,
    "Max": entries.folded(entries.larger),
    "Sum": entries.folded(entries.add),
    "Mean": entries.mean,
    "ReduceSum": entries.reduce_sum,
    "ReduceMean": entries.reduce_mean,
    "ReduceMax": entries.reduce_max,
    "ReduceLogSumExp": entries.reduce_log_sum_exp,
    "Exp": entries.forward(exp.forward),
    "Log": entries.forward(FUNCTIONS["ln"].forward),
    "Sqrt": entries.forward(root(2).forward),
    "Reciprocal": entries.forward(reciprocal(1).forward),
    "Sin": entries.forward(FUNCTIONS["sin"].forward),
    "Cos": entries.forward(FUNCTIONS["cos"].forward),
    "Tan": entries.forward(FUNCTIONS["tan"].forward),
    "Asin": entries.forward(FUNCTIONS["arcsin"].forward),
    "Acos": entries.forward(FUNCTIONS["arccos"].forward),
    "Atan": entries.forward(FUNCTIONS["arctan"].forward),
    "Sinh": entries.forward(FUNCTIONS["sinh"].forward),
    "Cosh": entries.forward(FUNCTIONS["cosh"].forward),
    "Asinh": entries.forward(FUNCTIONS["arsinh"].forward),
    "Acosh": entries.forward(FUNCTIONS["arcosh"].forward),
    "Atanh": entries.forward(FUNCTIONS["artanh"].forward),
}
