package io.sirocco.model;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * Cuts a row's causal, windowed attention into blocks of queries, each against the slots that at
 * least one of its queries may see. So nothing above the diagonal or outside the window is computed
 * beyond a block, and memory does not grow with the square of the row's length.
 *
 * <p>Numbers of queries and slots come from few sizes, which keeps the number of shapes that
 * kernels have to prepare small. All of it follows from the row's length and the window alone.
 */
final class AttentionBlocks {
  /** Queries of a block; the largest power of two that keeps scores of a usual row in cache. */
  static final int QUERIES = 128;

  private static final int FEWEST_QUERIES = 16;
  private static final int FEW_SLOTS = 64;
  private static final int MANY_SLOTS = 512;

  /** Above so many slots blocks have half the queries, above twice as many a quarter. */
  private static final int LONG_SPAN = 8192;

  /** Kernels take several key-value heads at a time up to about so many scores. */
  private static final long LEAST_SCORES = 4 << 20;

  private final OptionalInt window;

  AttentionBlocks(OptionalInt window) {
    this.window = window;
  }

  /**
   * Queries {@code [firstQuery, firstQuery + queries)} of a row against its slots {@code
   * [firstSlot, firstSlot + slots)}. The last queries may lie behind the row's end, the last slots
   * too.
   */
  record Block(int firstQuery, int queries, int firstSlot, int slots) {}

  /**
   * The blocks of tokens {@code [from, from + length)} of a row of {@code reach} tokens. Which
   * slots a query is computed with follows from its place in the row, and from {@code reach},
   * alone: so it does not matter where a row is cut. Tokens behind {@code trunk} see at least what
   * the first token behind it sees.
   */
  List<Block> of(int from, int length, int reach, int trunk) {
    List<Block> blocks = new ArrayList<>();
    int end = from + length;
    int start = from - from % QUERIES;
    while (start < end) {
      int firstSlot = firstSlot(Math.min(start, trunk));
      int behind = start + queriesFor(start + QUERIES - firstSlot);
      int query = Math.max(start, from);
      if (query < behind) {
        int slots = slotsFor(Math.min(behind, reach) - firstSlot);
        blocks.add(new Block(query, sizeFor(Math.min(behind, end) - query), firstSlot, slots));
      }
      start = behind;
    }
    return blocks;
  }

  /** Slots to reserve for a row of that length: its tokens, and what blocks read behind them. */
  int keySlots(int rowLength) {
    return slotsBehind(of(0, rowLength, rowLength, Integer.MAX_VALUE));
  }

  /** The first slot that a part reads. */
  int firstSlot(RowPart part) {
    return of(part.from(), 1, part.reach(), part.trunk()).get(0).firstSlot();
  }

  /** The slot behind the last one that a part reads. */
  int slotsBehind(RowPart part) {
    return slotsBehind(of(part.from(), part.ids().length, part.reach(), part.trunk()));
  }

  private static int slotsBehind(List<Block> blocks) {
    return blocks.stream().mapToInt(block -> block.firstSlot() + block.slots()).max().orElse(0);
  }

  /**
   * Slots that the last of a row's first {@code tokens} is computed with. Rows that agree in it,
   * and in those tokens, have the same keys and values of them.
   */
  int slotsOfLast(int tokens, int rowLength) {
    return of(tokens - 1, 1, rowLength, Integer.MAX_VALUE).get(0).slots();
  }

  /** The most that rows of so many tokens together can take: all of them as short as can be. */
  int mostKeySlots(int tokens) {
    return Math.multiplyExact(tokens, FEWEST_QUERIES);
  }

  /** Bytes of scores, probabilities and mask of the largest block, for so many heads at a time. */
  long scoreBytes(int longestRow, int heads) {
    long largest = LEAST_SCORES;
    long mask = 0;
    int lastChunk = (longestRow - 1) / BatchPlan.CHUNK * BatchPlan.CHUNK;
    for (Block block : of(lastChunk, longestRow - lastChunk, longestRow, Integer.MAX_VALUE)) {
      long scores = (long) block.queries() * block.slots();
      largest = Math.max(largest, heads * scores);
      mask = Math.max(mask, scores);
    }
    return largest * 2 * Float.BYTES + mask * Float.BYTES;
  }

  /** The first position that the query at {@code position} sees. */
  int firstSeen(int position) {
    return window.isPresent() ? Math.max(0, position - window.getAsInt() + 1) : 0;
  }

  /** The first slot of a block that begins with the query at {@code query}. */
  int firstSlot(int query) {
    return firstSeen(query) / FEW_SLOTS * FEW_SLOTS;
  }

  private static int queriesFor(int span) {
    if (span <= LONG_SPAN) {
      return QUERIES;
    }
    return span <= 2 * LONG_SPAN ? QUERIES / 2 : QUERIES / 4;
  }

  /** The smallest block that holds so many queries, or the largest block. */
  private static int sizeFor(int queries) {
    int size = FEWEST_QUERIES;
    while (size < queries && size < QUERIES) {
      size *= 2;
    }
    return size;
  }

  /** Rounded up to a multiple of 16, of 64, or of an eighth of the next lower power of two. */
  static int slotsFor(int slots) {
    int step;
    if (slots <= FEW_SLOTS) {
      step = FEWEST_QUERIES;
    } else if (slots <= MANY_SLOTS) {
      step = FEW_SLOTS;
    } else {
      step = Integer.highestOneBit(slots) / 8;
    }
    return (slots + step - 1) / step * step;
  }
}
