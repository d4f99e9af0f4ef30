package io.sirocco.tokenizer;

import java.util.Arrays;

/**
 * A text's token ids: {@code prefix} ids added in front by the post-processor, the text's own ids,
 * and {@code suffix} ids added behind.
 *
 * @param ids all ids in order; owned by whoever holds this record, not copied
 * @param prefix number of leading ids that are not the text's
 * @param suffix number of trailing ids that are not the text's
 */
@SuppressWarnings("ArrayRecordComponent") // a wrapper around the array, compared by content below
public record Encoding(int[] ids, int prefix, int suffix) {

  public Encoding {
    if (prefix < 0 || suffix < 0 || ids.length - suffix < prefix) {
      throw new IllegalArgumentException(
          ids.length + " ids cannot hold a prefix of " + prefix + " and a suffix of " + suffix);
    }
  }

  /** Number of ids, added ones included. */
  public int length() {
    return ids.length;
  }

  /**
   * At most {@code maxTokens} ids: the text's last ids are dropped, prefix and suffix stay.
   *
   * @throws IllegalArgumentException if prefix and suffix alone are more than {@code maxTokens};
   *     Hugging Face leaves a text whole where nothing fits, which would break the caller's limit
   */
  public Encoding truncatedRight(int maxTokens) {
    int content = contentWithin(maxTokens);
    if (ids.length <= maxTokens) {
      return this;
    }
    int[] kept = Arrays.copyOf(ids, prefix + content + suffix);
    System.arraycopy(ids, ids.length - suffix, kept, prefix + content, suffix);
    return new Encoding(kept, prefix, suffix);
  }

  /**
   * At most {@code maxTokens} ids: the text's first ids are dropped, prefix and suffix stay.
   *
   * @throws IllegalArgumentException as for {@link #truncatedRight}
   */
  public Encoding truncatedLeft(int maxTokens) {
    int content = contentWithin(maxTokens);
    if (ids.length <= maxTokens) {
      return this;
    }
    int[] kept = Arrays.copyOf(ids, prefix + content + suffix);
    int tail = content + suffix;
    System.arraycopy(ids, ids.length - tail, kept, prefix, tail);
    return new Encoding(kept, prefix, suffix);
  }

  private int contentWithin(int maxTokens) {
    if (maxTokens < prefix + suffix) {
      throw new IllegalArgumentException(
          "a limit of "
              + maxTokens
              + " tokens leaves no room for the "
              + (prefix + suffix)
              + " that the tokenizer adds to every text");
    }
    return maxTokens - prefix - suffix;
  }

  /** By content, unlike a record's own rule for arrays. */
  @Override
  public boolean equals(Object other) {
    return other instanceof Encoding that
        && prefix == that.prefix
        && suffix == that.suffix
        && Arrays.equals(ids, that.ids);
  }

  @Override
  public int hashCode() {
    return 31 * (31 * Arrays.hashCode(ids) + prefix) + suffix;
  }

  @Override
  public String toString() {
    return "Encoding[" + ids.length + " ids, prefix " + prefix + ", suffix " + suffix + "]";
  }
}
