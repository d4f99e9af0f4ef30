package io.sirocco.template;

/**
 * What one rendering may take.
 *
 * @param work in units: a character that is read, copied or written is one, an evaluated node of
 *     the template or a list element {@link #NODE}
 * @param textLength longest text, the output included, in UTF-16 units
 */
record Limits(long work, int textLength) {
  static final int NODE = 32;

  /** A step of a loop, for its scope. */
  static final int SCOPE = 64;

  /** A conversation of a million characters takes a third of this; all of it, half a second. */
  static final Limits DEFAULT = new Limits(1L << 24, 1 << 22);
}
