package io.sirocco.sampling;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Finds stop strings in the texts of tokens. A row stops when some occurrence of a stop string in
 * the concatenated texts ends inside the last token; it may have begun in the prompt. Compared are
 * UTF-8 bytes, so that an occurrence may begin or end anywhere, in the middle of a token too.
 *
 * <p>An automaton (Aho, Corasick) over all stop strings, so that time is linear in the bytes of the
 * texts and memory in those of the stop strings, however many and whatever they are. Immutable; for
 * all rows, and all threads if the texts are.
 */
public final class StopStrings {
  private static final int ROOT = 0;
  private static final int BYTE_BITS = 8;
  private static final int BYTE_MASK = 0xff;

  private final TokenTexts texts;

  /** Node and byte to node. */
  private final Map<Long, Integer> children = new HashMap<>();

  /** By node: that of the longest proper ending of its string with which a stop string begins. */
  private final int[] shorter;

  /** By node: the length of the longest stop string that ends its string, 0 if none does. */
  private final int[] stopLength;

  private final int longest;

  private StopStrings(List<byte[]> stops, TokenTexts texts) {
    this.texts = texts;
    this.longest = stops.stream().mapToInt(stop -> stop.length).max().orElse(0);
    int most = 1 + stops.stream().mapToInt(stop -> stop.length).sum();
    this.shorter = new int[most];
    this.stopLength = new int[most];
    link(insert(stops));
  }

  /** Of strings none of which is empty. */
  public static StopStrings of(List<String> stops, TokenTexts texts) {
    return new StopStrings(
        GenerationKey.STOP_STRINGS.checked(stops).stream()
            .map(stop -> stop.getBytes(StandardCharsets.UTF_8))
            .toList(),
        texts);
  }

  /** Nothing stops. */
  public static StopStrings none() {
    return new StopStrings(List.of(), id -> new byte[0]);
  }

  /** The edges of all nodes, by the length of the nodes' strings. */
  private List<List<Long>> insert(List<byte[]> stops) {
    List<List<Long>> edges = new ArrayList<>();
    for (byte[] stop : stops) {
      int node = ROOT;
      for (int depth = 0; depth < stop.length; depth++) {
        long edge = edge(node, stop[depth]);
        Integer child = children.get(edge);
        if (child == null) {
          child = children.size() + 1;
          children.put(edge, child);
          if (edges.size() == depth) {
            edges.add(new ArrayList<>());
          }
          edges.get(depth).add(edge);
        }
        node = child;
      }
      stopLength[node] = stop.length;
    }
    return edges;
  }

  private void link(List<List<Long>> edgesByDepth) {
    for (List<Long> edges : edgesByDepth) {
      for (long edge : edges) {
        int node = children.get(edge);
        int parent = (int) (edge >> BYTE_BITS);
        shorter[node] = parent == ROOT ? ROOT : step(shorter[parent], (byte) edge);
        stopLength[node] = Math.max(stopLength[node], stopLength[shorter[node]]);
      }
    }
  }

  private static long edge(int node, byte next) {
    return ((long) node << BYTE_BITS) | (next & BYTE_MASK);
  }

  private int step(int from, byte next) {
    int node = from;
    while (true) {
      Integer child = children.get(edge(node, next));
      if (child != null) {
        return child;
      }
      if (node == ROOT) {
        return ROOT;
      }
      node = shorter[node];
    }
  }

  /** Whether there are none. */
  public boolean isEmpty() {
    return longest == 0;
  }

  /**
   * Whether an occurrence ends inside the last of the ids, prompt included; as in the reference
   * only as many of the last tokens are looked at as the longest stop string has bytes. A {@link
   * Cursor} says the same (tokens without text aside, which count there and not here) without going
   * back.
   */
  public boolean matches(int[] ids, int length) {
    if (isEmpty() || length == 0) {
      return false;
    }
    Cursor cursor = new Cursor(ROOT, 0, Cursor.NO_MATCH);
    for (int at = Math.max(0, length - longest); at < length; at++) {
      cursor = cursor.next(ids[at]);
    }
    return cursor.isMatch();
  }

  /** Before the first new token of a row. */
  public Cursor after(int[] prompt) {
    if (isEmpty()) {
      return new Cursor(ROOT, 0, Cursor.NO_MATCH);
    }
    int from = prompt.length;
    for (int bytes = 0; from > 0 && bytes < longest; from--) {
      bytes += texts.utf8(prompt[from - 1]).length;
    }
    int node = ROOT;
    for (int at = from; at < prompt.length; at++) {
      for (byte next : texts.utf8(prompt[at])) {
        node = step(node, next);
      }
    }
    return new Cursor(node, 0, Cursor.NO_MATCH);
  }

  /** A place in a row's text. Immutable, so that beams can go on from the same one. */
  public final class Cursor {
    private static final long NO_MATCH = -1;

    private final int node;
    private final long bytes;
    private final long matchStart;

    private Cursor(int node, long bytes, long matchStart) {
      this.node = node;
      this.bytes = bytes;
      this.matchStart = matchStart;
    }

    /** Behind one more token. */
    public Cursor next(int id) {
      if (isEmpty()) {
        return this;
      }
      int at = node;
      long end = bytes;
      long earliest = Long.MAX_VALUE;
      for (byte next : texts.utf8(id)) {
        at = step(at, next);
        end++;
        if (stopLength[at] > 0) {
          earliest = Math.min(earliest, end - stopLength[at]);
        }
      }
      return new Cursor(at, end, earliest == Long.MAX_VALUE ? NO_MATCH : Math.max(0, earliest));
    }

    /** Whether an occurrence ends inside the last token. */
    public boolean isMatch() {
      return matchStart != NO_MATCH;
    }

    /**
     * Where the earliest such occurrence begins, in bytes of the generated tokens' texts: results
     * are cut there, while their ids stay whole. 0 if it begins in the prompt, -1 if there is none.
     */
    public long matchStart() {
      return matchStart;
    }
  }
}
