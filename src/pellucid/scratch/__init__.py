"""Every formula of the course by hand, in NumPy alone: layers, losses, optimisers, graphs, nets, checks.

Names and signatures are those of the course's assignments where it has them. `NAME_forward(...)` returns the output
and what `NAME_backward(dout, cache)` needs; a loss returns its value and its gradients.
"""

from pellucid.scratch.activations.crelu import crelu_backward, crelu_forward
from pellucid.scratch.activations.elu import elu_backward, elu_forward
from pellucid.scratch.activations.gelu import gelu_backward, gelu_forward
from pellucid.scratch.activations.hard_sigmoid import hard_sigmoid_backward, hard_sigmoid_forward
from pellucid.scratch.activations.hard_swish import hard_swish_backward, hard_swish_forward
from pellucid.scratch.activations.leaky_relu import leaky_relu_backward, leaky_relu_forward
from pellucid.scratch.activations.maxout import maxout_backward, maxout_forward
from pellucid.scratch.activations.prelu import prelu_backward, prelu_forward
from pellucid.scratch.activations.relu import relu_backward, relu_forward
from pellucid.scratch.activations.relu6 import relu6_backward, relu6_forward
from pellucid.scratch.activations.selu import selu_backward, selu_forward
from pellucid.scratch.activations.sigmoid import sigmoid, sigmoid_backward, sigmoid_forward
from pellucid.scratch.activations.swish import swish_backward, swish_forward
from pellucid.scratch.activations.table import ACTIVATIONS
from pellucid.scratch.activations.tanh import tanh_backward, tanh_forward
from pellucid.scratch.attention.decoder import decoder_block_backward, decoder_block_forward, make_decoder_block
from pellucid.scratch.attention.encoder import encoder_block_backward, encoder_block_forward, make_encoder_block
from pellucid.scratch.attention.feed_forward import feed_forward_backward, feed_forward_forward
from pellucid.scratch.attention.multi_head import make_multi_head, multi_head_backward, multi_head_forward
from pellucid.scratch.attention.positional import positions_backward, positions_forward, sinusoidal_positions
from pellucid.scratch.attention.scaled_dot_product import (
    attention_scores,
    attention_weights,
    causal_mask,
    scaled_dot_product_backward,
    scaled_dot_product_forward,
)
from pellucid.scratch.checks.activation_properties import property_table
from pellucid.scratch.checks.activation_statistics import activation_statistics, expected_statistics
from pellucid.scratch.checks.dead_units import find_dead_units
from pellucid.scratch.checks.gradcheck import check_gradient, grad_check_sparse
from pellucid.scratch.checks.gradient_flow import gradient_along_the_cell, gradient_through_time
from pellucid.scratch.checks.hessian import classify_critical_point, condition_number, numerical_hessian
from pellucid.scratch.checks.initialise import advise, he, initialise, lecun, xavier, xavier_average
from pellucid.scratch.checks.jacobian import numerical_jacobian
from pellucid.scratch.checks.numerical import eval_numerical_gradient, eval_numerical_gradient_array, rel_error
from pellucid.scratch.checks.softmax_curvature import softmax_hessian
from pellucid.scratch.checks.taylor import error_order, second_order_model
from pellucid.scratch.convolution.dilated import (
    conv_backward_dilated,
    conv_backward_holes,
    conv_forward_dilated,
    conv_forward_holes,
    with_holes,
)
from pellucid.scratch.convolution.fast import conv_backward_fast, conv_forward_fast
from pellucid.scratch.convolution.fft import conv_backward_fft, conv_forward_fft
from pellucid.scratch.convolution.grouped import conv_backward_grouped, conv_forward_grouped
from pellucid.scratch.convolution.im2col import col2im, conv_backward_im2col, conv_forward_im2col, im2col
from pellucid.scratch.convolution.loops import conv_backward_naive, conv_forward_naive
from pellucid.scratch.convolution.matrix import conv_backward_matrix, conv_forward_matrix, conv_matrix, conv_matrix_1d
from pellucid.scratch.convolution.separable import (
    depthwise_backward,
    depthwise_forward,
    pointwise_backward,
    pointwise_forward,
    separable_backward,
    separable_costs,
    separable_forward,
)
from pellucid.scratch.convolution.size import conv_parameters, effective_size, output_size, transposed_size
from pellucid.scratch.convolution.transposed import (
    bilinear_kernel,
    bilinear_weights,
    conv_transpose_backward,
    conv_transpose_backward_naive,
    conv_transpose_forward,
    conv_transpose_forward_naive,
    overlap_count,
)
from pellucid.scratch.graph.functions.table import FUNCTIONS
from pellucid.scratch.graph.node import Node, apply
from pellucid.scratch.interpolation.bilinear import (
    interpolate_bilinear_backward,
    interpolate_bilinear_backward_naive,
    interpolate_bilinear_forward,
    interpolate_bilinear_forward_naive,
)
from pellucid.scratch.interpolation.linear import interpolate_linear_backward, interpolate_linear_forward
from pellucid.scratch.interpolation.nearest import interpolate_nearest_backward, interpolate_nearest_forward
from pellucid.scratch.interpolation.trilinear import (
    interpolate_trilinear_backward,
    interpolate_trilinear_backward_naive,
    interpolate_trilinear_forward,
    interpolate_trilinear_forward_naive,
)
from pellucid.scratch.layers.affine import affine_backward, affine_forward
from pellucid.scratch.layers.embedding import one_hot, word_embedding_backward, word_embedding_forward
from pellucid.scratch.layers.sandwich import (
    affine_bn_relu_backward,
    affine_bn_relu_forward,
    affine_ln_relu_backward,
    affine_ln_relu_forward,
    affine_relu_backward,
    affine_relu_forward,
    conv_bn_relu_backward,
    conv_bn_relu_forward,
    conv_relu_backward,
    conv_relu_forward,
    conv_relu_pool_backward,
    conv_relu_pool_forward,
)
from pellucid.scratch.layers.temporal import temporal_affine_backward, temporal_affine_forward
from pellucid.scratch.losses.adversarial import discriminator_loss, gan_value, generator_loss, saturating_generator_loss
from pellucid.scratch.losses.binary_cross_entropy import binary_cross_entropy, softplus
from pellucid.scratch.losses.kl import cross_entropy, entropy, kl_divergence, kl_divergence_of_scores
from pellucid.scratch.losses.l1 import l1_loss
from pellucid.scratch.losses.l2 import l2_loss
from pellucid.scratch.losses.penalties import elastic_net_penalty, l1_penalty, l2_penalty, total_loss
from pellucid.scratch.losses.smooth_l1 import smooth_l1_loss
from pellucid.scratch.losses.softmax import (
    log_softmax,
    log_sum_exp,
    softmax,
    softmax_loss,
    softmax_loss_naive,
    softmax_loss_vectorized,
)
from pellucid.scratch.losses.squared_hinge import (
    squared_hinge_loss,
    squared_hinge_loss_naive,
    squared_hinge_loss_vectorized,
)
from pellucid.scratch.losses.svm import svm_loss, svm_loss_naive, svm_loss_vectorized
from pellucid.scratch.losses.temporal_softmax import temporal_softmax_loss
from pellucid.scratch.nets.captioner import CaptioningRNN
from pellucid.scratch.nets.decision_regions import capacity_table, region_count
from pellucid.scratch.nets.fully_connected import FullyConnectedNet
from pellucid.scratch.nets.solver import Solver
from pellucid.scratch.nets.three_layer_convnet import ThreeLayerConvNet
from pellucid.scratch.nets.two_layer import TwoLayerNet
from pellucid.scratch.normalisation.batch import batchnorm_backward, batchnorm_backward_alt, batchnorm_forward
from pellucid.scratch.normalisation.group import (
    spatial_groupnorm_backward,
    spatial_groupnorm_forward,
    spatial_groupnorm_forward_naive,
)
from pellucid.scratch.normalisation.instance import (
    instancenorm_backward,
    instancenorm_forward,
    instancenorm_forward_naive,
)
from pellucid.scratch.normalisation.layer import layernorm_backward, layernorm_forward
from pellucid.scratch.normalisation.local_response import lrn_backward, lrn_forward
from pellucid.scratch.normalisation.spatial_batch import spatial_batchnorm_backward, spatial_batchnorm_forward
from pellucid.scratch.normalisation.switchable import switchable_norm, switchnorm_backward, switchnorm_forward
from pellucid.scratch.normalisation.two_sample import (
    two_sample_backward,
    two_sample_forward,
    two_sample_variance_gradient,
)
from pellucid.scratch.optimisers.adadelta import adadelta
from pellucid.scratch.optimisers.adagrad import adagrad
from pellucid.scratch.optimisers.adam import adam, adam_uncorrected
from pellucid.scratch.optimisers.adamw import adamw
from pellucid.scratch.optimisers.batches import batches, iterations_per_epoch
from pellucid.scratch.optimisers.clip import clip_by_norm, global_norm
from pellucid.scratch.optimisers.momentum import sgd_momentum, sgd_momentum_unscaled
from pellucid.scratch.optimisers.nesterov import nesterov_step, sgd_nesterov
from pellucid.scratch.optimisers.rmsprop import rmsprop
from pellucid.scratch.optimisers.second_order.gauss_newton import gauss_newton_step, levenberg_marquardt
from pellucid.scratch.optimisers.second_order.lbfgs import lbfgs, two_loop
from pellucid.scratch.optimisers.second_order.newton import cost_table, newton_step
from pellucid.scratch.optimisers.sgd import sgd
from pellucid.scratch.optimisers.table import RULES
from pellucid.scratch.pooling.average import (
    average_pool_backward,
    average_pool_backward_naive,
    average_pool_forward,
    average_pool_forward_naive,
    counted,
)
from pellucid.scratch.pooling.average_unpool import average_unpool_backward, average_unpool_forward
from pellucid.scratch.pooling.fractional import (
    disjoint_regions,
    fractional_max_pool_backward,
    fractional_max_pool_forward,
    overlapping_regions,
)
from pellucid.scratch.pooling.global_average import global_average_pool_backward, global_average_pool_forward
from pellucid.scratch.pooling.max import (
    max_pool_backward_fast,
    max_pool_backward_naive,
    max_pool_forward_fast,
    max_pool_forward_naive,
    max_pool_positions,
)
from pellucid.scratch.pooling.max_unpool import (
    bed_of_nails_backward,
    bed_of_nails_forward,
    max_unpool_backward,
    max_unpool_forward,
)
from pellucid.scratch.recurrent.gru import gru_backward, gru_forward, gru_step_backward, gru_step_forward
from pellucid.scratch.recurrent.lstm import (
    lstm_backward,
    lstm_forward,
    lstm_sequence_backward,
    lstm_sequence_forward,
    lstm_step_backward,
    lstm_step_forward,
)
from pellucid.scratch.recurrent.multilayer import multilayer_backward, multilayer_forward
from pellucid.scratch.recurrent.rnn import rnn_backward, rnn_forward, rnn_step_backward, rnn_step_forward
from pellucid.scratch.recurrent.truncated import truncated_backward, truncated_forward
from pellucid.scratch.regularisation.channel_dropout import channel_dropout_backward, channel_dropout_forward
from pellucid.scratch.regularisation.dropconnect import dropconnect_backward, dropconnect_forward
from pellucid.scratch.regularisation.dropout import (
    dropout_backward,
    dropout_forward,
    vanilla_dropout_backward,
    vanilla_dropout_forward,
)
from pellucid.scratch.regularisation.stochastic_depth import (
    stochastic_depth_backward,
    stochastic_depth_forward,
    survival_probability,
)

# fmt: off
__all__ = [  # noqa: RUF022 - sorted, several to a line
    "ACTIVATIONS", "CaptioningRNN", "FUNCTIONS", "FullyConnectedNet", "Node", "RULES", "Solver", "ThreeLayerConvNet",
    "TwoLayerNet", "activation_statistics", "adadelta", "adagrad", "adam", "adam_uncorrected", "adamw", "advise",
    "affine_backward", "affine_bn_relu_backward", "affine_bn_relu_forward", "affine_forward", "affine_ln_relu_backward",
    "affine_ln_relu_forward", "affine_relu_backward", "affine_relu_forward", "apply", "attention_scores",
    "attention_weights", "average_pool_backward", "average_pool_backward_naive", "average_pool_forward",
    "average_pool_forward_naive", "average_unpool_backward", "average_unpool_forward", "batches", "batchnorm_backward",
    "batchnorm_backward_alt", "batchnorm_forward", "bed_of_nails_backward", "bed_of_nails_forward", "bilinear_kernel",
    "bilinear_weights", "binary_cross_entropy", "capacity_table", "causal_mask", "channel_dropout_backward",
    "channel_dropout_forward", "check_gradient", "classify_critical_point", "clip_by_norm", "col2im",
    "condition_number", "conv_backward_dilated", "conv_backward_fast", "conv_backward_fft", "conv_backward_grouped",
    "conv_backward_holes", "conv_backward_im2col", "conv_backward_matrix", "conv_backward_naive",
    "conv_bn_relu_backward", "conv_bn_relu_forward", "conv_forward_dilated", "conv_forward_fast", "conv_forward_fft",
    "conv_forward_grouped", "conv_forward_holes", "conv_forward_im2col", "conv_forward_matrix", "conv_forward_naive",
    "conv_matrix", "conv_matrix_1d", "conv_parameters", "conv_relu_backward", "conv_relu_forward",
    "conv_relu_pool_backward", "conv_relu_pool_forward", "conv_transpose_backward", "conv_transpose_backward_naive",
    "conv_transpose_forward", "conv_transpose_forward_naive", "cost_table", "counted", "crelu_backward",
    "crelu_forward", "cross_entropy", "decoder_block_backward", "decoder_block_forward", "depthwise_backward",
    "depthwise_forward", "discriminator_loss", "disjoint_regions", "dropconnect_backward", "dropconnect_forward",
    "dropout_backward", "dropout_forward", "effective_size", "elastic_net_penalty", "elu_backward", "elu_forward",
    "encoder_block_backward", "encoder_block_forward", "entropy", "error_order", "eval_numerical_gradient",
    "eval_numerical_gradient_array", "expected_statistics", "feed_forward_backward", "feed_forward_forward",
    "find_dead_units", "fractional_max_pool_backward", "fractional_max_pool_forward", "gan_value", "gauss_newton_step",
    "gelu_backward", "gelu_forward", "generator_loss", "global_average_pool_backward", "global_average_pool_forward",
    "global_norm", "grad_check_sparse", "gradient_along_the_cell", "gradient_through_time", "gru_backward",
    "gru_forward", "gru_step_backward", "gru_step_forward", "hard_sigmoid_backward", "hard_sigmoid_forward",
    "hard_swish_backward", "hard_swish_forward", "he", "im2col", "initialise", "instancenorm_backward",
    "instancenorm_forward", "instancenorm_forward_naive", "interpolate_bilinear_backward",
    "interpolate_bilinear_backward_naive", "interpolate_bilinear_forward", "interpolate_bilinear_forward_naive",
    "interpolate_linear_backward", "interpolate_linear_forward", "interpolate_nearest_backward",
    "interpolate_nearest_forward", "interpolate_trilinear_backward", "interpolate_trilinear_backward_naive",
    "interpolate_trilinear_forward", "interpolate_trilinear_forward_naive", "iterations_per_epoch", "kl_divergence",
    "kl_divergence_of_scores", "l1_loss", "l1_penalty", "l2_loss", "l2_penalty", "layernorm_backward",
    "layernorm_forward", "lbfgs", "leaky_relu_backward", "leaky_relu_forward", "lecun", "levenberg_marquardt",
    "log_softmax", "log_sum_exp", "lrn_backward", "lrn_forward", "lstm_backward", "lstm_forward",
    "lstm_sequence_backward", "lstm_sequence_forward", "lstm_step_backward", "lstm_step_forward", "make_decoder_block",
    "make_encoder_block", "make_multi_head", "max_pool_backward_fast", "max_pool_backward_naive",
    "max_pool_forward_fast", "max_pool_forward_naive", "max_pool_positions", "max_unpool_backward",
    "max_unpool_forward", "maxout_backward", "maxout_forward", "multi_head_backward", "multi_head_forward",
    "multilayer_backward", "multilayer_forward", "nesterov_step", "newton_step", "numerical_hessian",
    "numerical_jacobian", "one_hot", "output_size", "overlap_count", "overlapping_regions", "pointwise_backward",
    "pointwise_forward", "positions_backward", "positions_forward", "prelu_backward", "prelu_forward", "property_table",
    "region_count", "rel_error", "relu6_backward", "relu6_forward", "relu_backward", "relu_forward", "rmsprop",
    "rnn_backward", "rnn_forward", "rnn_step_backward", "rnn_step_forward", "saturating_generator_loss",
    "scaled_dot_product_backward", "scaled_dot_product_forward", "second_order_model", "selu_backward", "selu_forward",
    "separable_backward", "separable_costs", "separable_forward", "sgd", "sgd_momentum", "sgd_momentum_unscaled",
    "sgd_nesterov", "sigmoid", "sigmoid_backward", "sigmoid_forward", "sinusoidal_positions", "smooth_l1_loss",
    "softmax", "softmax_hessian", "softmax_loss", "softmax_loss_naive", "softmax_loss_vectorized", "softplus",
    "spatial_batchnorm_backward", "spatial_batchnorm_forward", "spatial_groupnorm_backward",
    "spatial_groupnorm_forward", "spatial_groupnorm_forward_naive", "squared_hinge_loss", "squared_hinge_loss_naive",
    "squared_hinge_loss_vectorized", "stochastic_depth_backward", "stochastic_depth_forward", "survival_probability",
    "svm_loss", "svm_loss_naive", "svm_loss_vectorized", "swish_backward", "swish_forward", "switchable_norm",
    "switchnorm_backward", "switchnorm_forward", "tanh_backward", "tanh_forward", "temporal_affine_backward",
    "temporal_affine_forward", "temporal_softmax_loss", "total_loss", "transposed_size", "truncated_backward",
    "truncated_forward", "two_loop", "two_sample_backward", "two_sample_forward", "two_sample_variance_gradient",
    "vanilla_dropout_backward", "vanilla_dropout_forward", "with_holes", "word_embedding_backward",
    "word_embedding_forward", "xavier", "xavier_average",
]
