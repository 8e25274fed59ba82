/* kernels_body_rank.h - ratios on the sides of a limit, told without dividing. Part of kernels_body.h. */

/*
 * ratio = number / sqrt(variance) is below the limit where number |number| < limit |limit| variance. Both sides carry a
 * few roundings of their parts, for which a share of the largest of these is left between them.
 */
static struct kernel_ranks kernel_rank(const struct kernel_ratios *r, double limit)
{
    const vector_mask no_sign = (vector_mask){0} + INT64_MAX;
    const double near = 0x1p-43, rounding = 4 * DBL_EPSILON;
    double bound = limit < 0 ? -(limit * limit) : limit * limit, size = limit * limit;
    vector_mask below = {0}, above = {0};
    int64_t lane[2][WIDTH];
    struct kernel_ranks ret = {0};
    for (size_t i = 0; i < r->n; i += WIDTH) {
        vector sum = LOAD(r->sum[0] + i) + LOAD(r->sum[1] + i);
        vector square = LOAD(r->square[0] + i) + LOAD(r->square[1] + i);
        vector centre = LOAD(r->centre + i), least = rounding * LOAD(r->scale + i);
        vector mean = sum * r->per_row, spread = square * r->per_degree;
        vector variance = spread - sum * mean * r->per_degree;
        vector number = centre + mean, unsure = near * (spread + least * least);
        vector parts =
            (vector)((vector_mask)centre & no_sign) + (vector)((vector_mask)mean & no_sign);
        vector left = number * (vector)((vector_mask)number & no_sign), right = bound * variance;
        vector margin = near * parts * parts + size * unsure;
        vector_mask varies = variance - least * least > unsure;
        below -= varies & (left < right - margin);
        above -= varies & (left > right + margin);
    }
    memcpy(lane[0], &below, sizeof below);
    memcpy(lane[1], &above, sizeof above);
    for (size_t k = 0; k < WIDTH; k++) {
        ret.n_below += (size_t)lane[0][k];
        ret.n_above += (size_t)lane[1][k];
    }
    return ret;
}
