"""Cases of adapted operators that ask for something which `pellucid.scratch` does not have, and what that is."""

NOT_OFFERED: dict[str, str] = {
    **dict.fromkeys(
        [
            "test_convtranspose_3d",
            "test_col2im_5d",
        ],
        "volumes: our layer is one of pictures",
    ),
    "test_resize_downsample_scales_linear_align_corners": (
        "corners that meet at 0.6 of 4 pixels, 2.4 of them; ours, as PyTorch's, meet at whole pixels"
    ),
    **dict.fromkeys(
        [
            "test_resize_upsample_scales_cubic",
            "test_resize_upsample_scales_cubic_align_corners",
            "test_resize_downsample_scales_cubic",
            "test_resize_downsample_scales_cubic_align_corners",
            "test_resize_upsample_sizes_cubic",
            "test_resize_downsample_sizes_cubic",
            "test_resize_upsample_scales_cubic_A_n0p5_exclude_outside",
            "test_resize_downsample_scales_cubic_A_n0p5_exclude_outside",
            "test_resize_upsample_scales_cubic_asymmetric",
            "test_resize_downsample_scales_cubic_antialias",
            "test_resize_downsample_sizes_cubic_antialias",
        ],
        "cubic interpolation",
    ),
    **dict.fromkeys(
        [
            "test_resize_tf_crop_and_resize",
            "test_resize_tf_crop_and_resize_extrapolation_value",
            "test_resize_tf_crop_and_resize_axes_2_3",
            "test_resize_tf_crop_and_resize_axes_3_2",
        ],
        "a part cut out before resizing",
    ),
    "test_resize_downsample_sizes_linear_pytorch_half_pixel": (
        "a single new pixel at the first old one; ours, as PyTorch's today, is in the middle"
    ),
    **dict.fromkeys(
        [
            "test_resize_upsample_sizes_nearest_floor_align_corners",
            "test_resize_upsample_sizes_nearest_round_prefer_ceil_asymmetric",
            "test_resize_upsample_sizes_nearest_ceil_half_pixel",
        ],
        "nearest neighbours of points, or by rounding up; ours are of areas, or of corners rounded down, as PyTorch's",
    ),
    **dict.fromkeys(
        [
            "test_resize_downsample_scales_linear_antialias",
            "test_resize_downsample_sizes_linear_antialias",
        ],
        "a filter against aliasing before a picture is made smaller",
    ),
    **dict.fromkeys(
        [
            "test_resize_downsample_scales_linear_half_pixel_symmetric",
            "test_resize_upsample_scales_linear_half_pixel_symmetric",
        ],
        "a grid moved to the middle when the scaled size is rounded",
    ),
    "test_gru_seq_length": (
        "a state that is reset before the product with R, as in the paper; ours, as PyTorch's, is after it"
    ),
    "test_lstm_with_peepholes": ("peepholes, gates that see the cell"),
    **dict.fromkeys(
        [
            "test_attention_4d_causal_bf16",
            "test_attention_3d_causal_bf16",
            "test_attention_4d_padded_kv_bf16",
            "test_attention_4d_causal_padded_kv_bf16",
            "test_attention_4d_attn_mask_causal_bf16",
        ],
        "bfloat16: the tolerance is below its precision, so every step would have to round as in the case",
    ),
    **dict.fromkeys(
        [
            "test_sce_none_weights",
            "test_sce_none_weights_log_prob",
            "test_sce_mean_weight",
            "test_sce_mean_weight_log_prob",
            "test_sce_mean_weight_ii",
            "test_sce_mean_weight_ii_log_prob",
            "test_sce_mean_weight_ii_3d",
            "test_sce_mean_weight_ii_3d_log_prob",
            "test_sce_mean_weight_ii_4d",
            "test_sce_mean_weight_ii_4d_log_prob",
            "test_sce_NCd1d2d3d4d5_mean_weight",
            "test_sce_NCd1d2d3d4d5_mean_weight_log_prob",
            "test_sce_NCd1_mean_weight_negative_ii",
            "test_sce_NCd1_mean_weight_negative_ii_log_prob",
            "test_sce_NCd1d2d3_sum_weight_high_ii",
            "test_sce_NCd1d2d3_sum_weight_high_ii_log_prob",
        ],
        "a weight for each class",
    ),
    **dict.fromkeys(
        [
            "test_selu_example",
            "test_selu",
        ],
        "other constants than the two that keep mean 0 and variance 1",
    ),
    "test_gather_negative_indices": ("counting from the end: words are 0 to V - 1"),
    **dict.fromkeys(
        [
            "test_div_int8",
            "test_div_int16",
            "test_div_int32_trunc",
            "test_div_uint8",
            "test_div_uint16",
            "test_div_uint32",
            "test_div_uint64",
        ],
        "division of whole numbers that drops the rest",
    ),
    **dict.fromkeys(
        [
            "test_pow_example",
            "test_pow",
            "test_pow_bcast_array",
            "test_pow_types_float32_int64",
            "test_pow_types_int64_float32",
            "test_pow_types_float32_int32",
            "test_pow_types_int32_float32",
            "test_pow_types_float32_uint64",
            "test_pow_types_float32_uint32",
            "test_pow_types_int64_int64",
            "test_pow_types_int32_int32",
        ],
        "an exponent for each entry; ours is one fixed number",
    ),
    **dict.fromkeys(
        [
            "test_reduce_max_empty_set",
            "test_reduce_max_empty_set_bool",
            "test_reduce_log_sum_exp_empty_set",
        ],
        "the largest of nothing",
    ),
}
