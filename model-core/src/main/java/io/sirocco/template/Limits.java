package io.sirocco.template;

/**
 * What one rendering may take.
 *
 * @param work in units: a character that is read, copied or written is one, an evaluated node of
 *     the template or a list element {@link #NODE}
 * @param textLength longest text, the output included, in UTF-16 units
 */
record Limits(long work, int textLength) {
  static final int NODE = 16;

  /** A conversation of a million characters takes a tenth of this; all of it, half a second. */
  static final Limits DEFAULT = new Limits(3L << 24, 1 << 23);
}
