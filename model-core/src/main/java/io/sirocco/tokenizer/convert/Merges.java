package io.sirocco.tokenizer.convert;

import io.sirocco.checkpoint.ModelException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/**
 * Finds the merges of a byte-pair encoding whose file has only its tokens: each way to put a token
 * together from two others. Time and memory grow with the tokens' characters: tokens have at most
 * {@link #MAX_TOKEN} of them.
 */
final class Merges {
  /** Characters of a token; the longest of a published file has 78. */
  static final int MAX_TOKEN = 256;

  /** Published files need up to 2.3 times their size. */
  private static final int MAX_GROWTH = 4;

  private static final int SMALL_FILE = 1 << 16;

  /** Ten times what the largest published file needs. */
  private static final long MAX_ROOM = 1L << 26;

  /** Of a merge, its text aside, in memory and in JSON; in characters, roughly. */
  private static final int OVERHEAD = 16;

  private final String where;
  private final Map<String, Integer> ids;
  private final List<Merge> found = new ArrayList<>();
  private long room;

  /**
   * Tokens {@code left} and {@code right}, one behind the other, become {@code token}: three ids.
   */
  record Merge(int token, int left, int right) {}

  /**
   * @param where the file, for errors
   * @param ids of the tokens that merges are made of, by their text
   * @param fileBytes size of the file, which bounds what its merges may take
   */
  Merges(String where, Map<String, Integer> ids, long fileBytes) {
    this.where = where;
    this.ids = ids;
    this.room = Math.min(MAX_ROOM, MAX_GROWTH * (fileBytes + SMALL_FILE));
  }

  /** Adds the merges that make {@code text}, token {@code id}, in the order of their left ids. */
  void add(String text, int id) {
    int first = found.size();
    for (int split = 1; split < text.length(); split++) {
      Integer left = ids.get(text.substring(0, split));
      Integer right = left == null ? null : ids.get(text.substring(split));
      if (right != null) {
        found.add(new Merge(id, left, right));
        room -= text.length() + OVERHEAD;
      }
    }
    if (room < 0) {
      throw new ModelException(
          where,
          "its tokens consist of each other in so many ways that the merges would take over "
              + MAX_GROWTH
              + " times the file's size, or "
              + MAX_ROOM
              + " characters; no published tokenizer is like that");
    }
    // Different left halves have different ids, so this is an order of pairs.
    found.subList(first, found.size()).sort(Comparator.comparingInt(Merge::left));
  }

  /** Those added so far, in order. */
  List<Merge> found() {
    return found;
  }
}
