package io.sirocco.kernel;

/**
 * One block of queries of one row against the keys they may see.
 *
 * @param queries {@code [Q, heads·headDim]}, rotated
 * @param keys {@code [S, kvHeads·headDim]}, rotated; query head j reads key-value head {@code j /
 *     (heads / kvHeads)}
 * @param values {@code [S, kvHeads·headDim]}
 * @param mask F32 {@code [Q, S]}, added to the scores of every head: 0 where query q sees slot s,
 *     {@code -Float.MAX_VALUE} where not
 * @param scale factor of the scores, {@code headDim^-0.5}
 * @param out {@code [Q, heads·headDim]}; receives the result
 */
public record AttentionBlock(
    Matrix queries,
    Matrix keys,
    Matrix values,
    Matrix mask,
    int heads,
    int kvHeads,
    float scale,
    Matrix out) {

  public AttentionBlock {
    int q = queries.rows();
    int s = keys.rows();
    if (kvHeads < 1
        || heads < 1
        || s < 1
        || heads % kvHeads != 0
        || queries.columns() % heads != 0
        || keys.columns() != queries.columns() / heads * kvHeads
        || values.rows() != s
        || values.columns() != keys.columns()
        || mask.rows() != q
        || mask.columns() != s
        || out.rows() != q
        || out.columns() != queries.columns()) {
      throw new IllegalArgumentException("attention shapes do not fit: " + queries + keys + values);
    }
  }

  /** Elements of one head. */
  public int headDim() {
    return queries.columns() / heads;
  }
}
