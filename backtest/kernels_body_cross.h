/* kernels_body_cross.h - products of rows with rows, in tiles of registers. Part of kernels_body.h. */

enum {
    CROSS_LANES = 4,
    CROSS_WIDTH = WIDTH < CROSS_LANES ? WIDTH : CROSS_LANES,
    CROSS_PARTS = CROSS_LANES / CROSS_WIDTH,
    TILE_A = 4,
    TILE_B = 3
};

typedef double VECTOR(8 * CROSS_WIDTH) cross_vector;
typedef double VECTOR_LOOSE(8 * CROSS_WIDTH) cross_memory;
#define LOAD_CROSS(pointer) (*(const cross_memory *)(pointer))

/* Twelve sums at a time, each in four lanes: a value that is loaded takes part in three or four products. */
static void cross_tile(const double *const a[TILE_A], const double *const b[TILE_B], size_t n,
                       double ret[TILE_A][TILE_B])
{
    cross_vector sum[TILE_A][TILE_B][CROSS_PARTS] = {{{{0}}}};
    double lane[TILE_A][TILE_B][CROSS_LANES];
    size_t whole = n - n % CROSS_LANES;

    for (size_t i = 0; i < whole; i += CROSS_LANES) {
        UNROLLED
        for (size_t h = 0; h < CROSS_PARTS; h++) {
            cross_vector y[TILE_B];
            UNROLLED
            for (size_t q = 0; q < TILE_B; q++)
                y[q] = LOAD_CROSS(b[q] + i + h * CROSS_WIDTH);
            UNROLLED
            for (size_t p = 0; p < TILE_A; p++) {
                cross_vector x = LOAD_CROSS(a[p] + i + h * CROSS_WIDTH);
                UNROLLED
                for (size_t q = 0; q < TILE_B; q++)
                    sum[p][q][h] += x * y[q];
            }
        }
    }
    memcpy(lane, sum, sizeof lane);
    for (size_t p = 0; p < TILE_A; p++) {
        for (size_t q = 0; q < TILE_B; q++) {
            double *l = lane[p][q];
            for (size_t k = whole; k < n; k++)
                l[k - whole] += a[p][k] * b[q][k];
            ret[p][q] = (l[0] + l[2]) + (l[1] + l[3]);
        }
    }
}

/* At an edge the last row stands in for those that are not there. */
static void kernel_cross(const struct kernel_cross *c)
{
    for (size_t i = 0; i < c->n_a; i += TILE_A) {
        const double *a[TILE_A], *b[TILE_B];
        for (size_t p = 0; p < TILE_A; p++)
            a[p] = c->a + (i + p < c->n_a ? i + p : c->n_a - 1) * c->stride;
        for (size_t j = 0; j < c->n_b; j += TILE_B) {
            double sum[TILE_A][TILE_B];
            for (size_t q = 0; q < TILE_B; q++)
                b[q] = c->b + (j + q < c->n_b ? j + q : c->n_b - 1) * c->stride;
            cross_tile(a, b, c->n, sum);
            for (size_t p = 0; p < TILE_A && i + p < c->n_a; p++)
                for (size_t q = 0; q < TILE_B && j + q < c->n_b; q++)
                    c->ret[(i + p) * c->ret_stride + j + q] += c->factor * sum[p][q];
        }
    }
}

static void kernel_add_scaled(double factor, const double *x, size_t n, double *y)
{
    size_t whole = whole_rounds(n), i = 0;
    for (; i < whole; i += KERNEL_LANES) {
        EACH_PART(h)
        STORE(y + i + h * WIDTH, LOAD(y + i + h * WIDTH) + factor * LOAD(x + i + h * WIDTH));
    }
    for (; i < n; i++)
        y[i] += factor * x[i];
}
