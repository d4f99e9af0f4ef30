package io.sirocco.model;

import java.util.ArrayList;
import java.util.List;

/**
 * How a flat batch is computed: its rows' parts one after the other without padding, cut into
 * chunks that bound the memory, and into segments, what of a part lies in a chunk.
 *
 * <p>Where a part is cut depends on that part alone: at multiples of {@link #CHUNK} within its row.
 * That keeps a row's results independent of the rows beside it, and of where the part begins.
 *
 * @param parts of the batch
 * @param chunks in order; together they cover every token once
 * @param tokens of all parts
 * @param keySlots of all parts whose keys and values live in the batch's own memory
 */
record BatchPlan(List<RowPart> parts, List<Chunk> chunks, int tokens, int keySlots) {
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
   * @param offset of the first token, from the chunk's first
   * @param slots where the part's keys and values are in the batch's own memory
   */
  record Segment(RowPart part, int from, int length, int offset, Slots slots) {}

  /**
   * A part's place in the matrices of keys and values.
   *
   * @param first slot of the part
   * @param count of its slots: none if the part lives in a cache
   * @param firstPosition the row's token whose keys are in the first slot
   * @param used slots of the row's tokens, before those that attention only reads
   */
  record Slots(int first, int count, int firstPosition, int used) {}

  /** {@code blocks} says how many key slots each part takes. */
  static BatchPlan of(List<RowPart> parts, AttentionBlocks blocks) {
    List<Chunk> chunks = new ArrayList<>();
    List<Segment> open = new ArrayList<>();
    int chunkStart = 0;
    int token = 0;
    int keySlot = 0;
    for (RowPart part : parts) {
      Slots slots = slots(part, keySlot, blocks);
      int length = part.ids().length;
      int some;
      for (int from = 0; from < length; from += some) {
        some = Math.min(cutBehind(part.from() + from) - part.from(), length) - from;
        int filled = token - chunkStart;
        // A chunk of one token would need slack behind it, which only the batch's end has.
        if (filled > 1 && filled + some > CHUNK) {
          chunks.add(new Chunk(chunkStart, filled, List.copyOf(open)));
          open.clear();
          chunkStart = token;
        }
        open.add(new Segment(part, part.from() + from, some, token - chunkStart, slots));
        token = Math.addExact(token, some);
      }
      keySlot = Math.addExact(keySlot, slots.count());
    }
    if (!open.isEmpty()) {
      chunks.add(new Chunk(chunkStart, token - chunkStart, List.copyOf(open)));
    }
    return new BatchPlan(List.copyOf(parts), List.copyOf(chunks), token, keySlot);
  }

  /** Where the segment that begins with this token of a row ends at the latest. */
  static int cutBehind(int token) {
    return (token / CHUNK + 1) * CHUNK;
  }

  private static Slots slots(RowPart part, int keySlot, AttentionBlocks blocks) {
    if (part.isInPlace()) {
      return new Slots(keySlot, 0, 0, 0);
    }
    int end = part.from() + part.ids().length;
    int firstPosition = blocks.firstSlot(part);
    int count = blocks.slotsBehind(part) - firstPosition;
    return new Slots(keySlot, count, firstPosition, end - firstPosition);
  }

  /** Tokens of the largest chunk. */
  int chunkTokens() {
    return chunks.stream().mapToInt(Chunk::tokens).max().orElse(0);
  }
}
