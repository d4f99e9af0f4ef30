package io.sirocco.model;

import java.util.ArrayList;
import java.util.List;

/**
 * How a flat batch is computed: its rows one after the other without padding, cut into chunks that
 * bound the memory, and into segments, the part of a row that lies in a chunk.
 *
 * <p>Where a row is cut depends on that row alone: at multiples of {@link #CHUNK} from its start.
 * That keeps a row's results independent of the rows beside it.
 *
 * @param rows of the batch
 * @param chunks in order; together they cover every token once
 * @param tokens of all rows
 * @param keySlots of all rows, each row's slots beginning at {@link Segment#keySlot}
 */
record BatchPlan(List<TokenRow> rows, List<Chunk> chunks, int tokens, int keySlots) {
  /** Tokens whose activations are held at a time; a multiple of every attention block's size. */
  static final int CHUNK = 2048;

  /**
   * @param firstToken within the batch
   * @param tokens of all its segments
   */
  record Chunk(int firstToken, int tokens, List<Segment> segments) {}

  /**
   * Tokens {@code [from, from + length)} of a row.
   *
   * @param row index of the row
   * @param rowLength tokens of the whole row
   * @param offset of the first token, from the chunk's first
   * @param keySlot of the row's first token, in the matrices of keys and values
   * @param keySlots of the whole row, with those behind its last token that blocks read
   */
  record Segment(
      int row, int rowLength, int from, int length, int offset, int keySlot, int keySlots) {}

  /** {@code blocks} says how many key slots each row takes. */
  static BatchPlan of(List<TokenRow> rows, AttentionBlocks blocks) {
    List<Chunk> chunks = new ArrayList<>();
    List<Segment> open = new ArrayList<>();
    int chunkStart = 0;
    int token = 0;
    int keySlot = 0;
    for (int row = 0; row < rows.size(); row++) {
      int length = rows.get(row).length();
      int keySlots = blocks.keySlots(length);
      for (int from = 0; from < length; from += CHUNK) {
        int part = Math.min(CHUNK, length - from);
        int filled = token - chunkStart;
        // A chunk of one token would need slack behind it, which only the batch's end has.
        if (filled > 1 && filled + part > CHUNK) {
          chunks.add(new Chunk(chunkStart, filled, List.copyOf(open)));
          open.clear();
          chunkStart = token;
        }
        open.add(new Segment(row, length, from, part, token - chunkStart, keySlot, keySlots));
        token = Math.addExact(token, part);
      }
      keySlot = Math.addExact(keySlot, keySlots);
    }
    if (!open.isEmpty()) {
      chunks.add(new Chunk(chunkStart, token - chunkStart, List.copyOf(open)));
    }
    return new BatchPlan(List.copyOf(rows), List.copyOf(chunks), token, keySlot);
  }

  /** Tokens of the largest chunk. */
  int chunkTokens() {
    return chunks.stream().mapToInt(Chunk::tokens).max().orElse(0);
  }
}
