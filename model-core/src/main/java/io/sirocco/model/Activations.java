package io.sirocco.model;

import io.sirocco.checkpoint.ElementType;
import io.sirocco.kernel.Matrix;
import io.sirocco.kernel.Precision;
import io.sirocco.kernel.Workspace;
import java.util.Optional;
import org.apache.arrow.memory.BufferAllocator;

/**
 * The memory of a forward pass, kept from batch to batch and made anew when a larger batch comes.
 * Residual stream, keys and values are as long as the batch, everything else as long as a chunk.
 */
final class Activations implements AutoCloseable {
  private final MistralConfig config;
  private final ElementType type;
  private final ElementType feedForward;
  private final Workspace workspace;
  private Optional<Buffers> buffers = Optional.empty();

  /** Numbers of rows: tokens of a batch, its key slots, tokens of a chunk. */
  record Sizes(int tokens, int keySlots, int chunkTokens) {
    static Sizes of(BatchPlan plan) {
      return new Sizes(plan.tokens(), plan.keySlots(), plan.chunkTokens());
    }

    boolean holds(Sizes other) {
      return tokens >= other.tokens
          && keySlots >= other.keySlots
          && chunkTokens >= other.chunkTokens;
    }

    Sizes max(Sizes other) {
      return new Sizes(
          Math.max(tokens, other.tokens),
          Math.max(keySlots, other.keySlots),
          Math.max(chunkTokens, other.chunkTokens));
    }
  }

  /**
   * Matrices of one chunk of M tokens.
   *
   * @param normed T {@code [M, D]}
   * @param rawQueries F32 {@code [M, H·d]}, before rotation
   * @param rawKeys F32 {@code [M, G·d]}, before rotation
   * @param newValues T {@code [M, G·d]}
   * @param queries T {@code [M + a block, H·d]}, rotated
   * @param attended T {@code [M, H·d]}
   * @param attendedAndBeyond the same memory, with a block's queries behind it
   * @param up {@code [M, F]}, of the type within the feed-forward network
   * @param gated as {@code up}
   */
  record Chunk(
      Matrix normed,
      Matrix rawQueries,
      Matrix rawKeys,
      Matrix newValues,
      Matrix queries,
      Matrix attended,
      Matrix attendedAndBeyond,
      Matrix up,
      Matrix gated) {

    Chunk first(int tokens) {
      return new Chunk(
          normed.first(tokens),
          rawQueries.first(tokens),
          rawKeys.first(tokens),
          newValues.first(tokens),
          queries,
          attendedAndBeyond.first(tokens),
          attendedAndBeyond,
          up.first(tokens),
          gated.first(tokens));
    }
  }

  /** What one batch uses. */
  record Batch(Matrix residual, Matrix keys, Matrix values, Chunk chunk) {}

  private record Buffers(Sizes sizes, Batch batch) {}

  Activations(MistralConfig config, Precision precision, BufferAllocator allocator) {
    this.config = config;
    this.type = precision.activation();
    this.feedForward = precision.feedForward();
    this.workspace = new Workspace(allocator);
  }

  /**
   * Memory for a batch, valid until the next one. Key and value slots behind the rows' ends are
   * zero: blocks multiply them by probabilities of zero, which only a finite value survives.
   */
  Batch prepare(BatchPlan plan) {
    Sizes wanted = Sizes.of(plan);
    Sizes present = buffers.map(Buffers::sizes).orElse(new Sizes(0, 0, 0));
    if (!present.holds(wanted)) {
      workspace.close();
      buffers = Optional.empty();
      buffers = Optional.of(allocate(present.max(wanted)));
    }
    Batch whole = buffers.orElseThrow().batch();
    plan.chunks().stream()
        .flatMap(chunk -> chunk.segments().stream())
        .forEach(segment -> clear(segment, whole));
    return new Batch(
        whole.residual().first(plan.tokens()), whole.keys(), whole.values(), whole.chunk());
  }

  /** Slots before a cached row's first token that has not left the ring are read, too. */
  private static void clear(BatchPlan.Segment segment, Batch whole) {
    BatchPlan.Slots slots = segment.slots();
    int kept = segment.part().cache().isPresent() ? 0 : slots.used();
    whole.keys().clearRows(slots.first() + kept, slots.count() - kept);
    whole.values().clearRows(slots.first() + kept, slots.count() - kept);
  }

  private Buffers allocate(Sizes sizes) {
    int hidden = config.hiddenSize();
    int heads = config.numAttentionHeads() * config.headDim();
    int kvHeads = config.numKeyValueHeads() * config.headDim();
    int tokens = sizes.chunkTokens();
    int beyond = tokens + AttentionBlocks.QUERIES;
    Matrix attended = workspace.matrix(type, beyond, heads);
    Chunk chunk =
        new Chunk(
            workspace.matrix(type, tokens, hidden),
            workspace.matrix(ElementType.F32, tokens, heads),
            workspace.matrix(ElementType.F32, tokens, kvHeads),
            workspace.matrix(type, tokens, kvHeads),
            workspace.matrix(type, beyond, heads),
            attended.first(tokens),
            attended,
            workspace.matrix(feedForward, tokens, config.intermediateSize()),
            workspace.matrix(feedForward, tokens, config.intermediateSize()));
    Batch batch =
        new Batch(
            workspace.matrix(ElementType.F32, sizes.tokens(), hidden),
            workspace.matrix(type, sizes.keySlots(), kvHeads),
            workspace.matrix(type, sizes.keySlots(), kvHeads),
            chunk);
    return new Buffers(sizes, batch);
  }

  /** Bytes that a batch of these sizes takes. */
  static long bytes(MistralConfig config, Precision precision, Sizes sizes) {
    ElementType type = precision.activation();
    int hidden = config.hiddenSize();
    int heads = config.numAttentionHeads() * config.headDim();
    int kvHeads = config.numKeyValueHeads() * config.headDim();
    int tokens = sizes.chunkTokens();
    int beyond = tokens + AttentionBlocks.QUERIES;
    return Workspace.bytes(ElementType.F32, sizes.tokens(), hidden)
        + 2 * Workspace.bytes(type, sizes.keySlots(), kvHeads)
        + Workspace.bytes(type, tokens, hidden + kvHeads)
        + Workspace.bytes(ElementType.F32, tokens, heads + kvHeads)
        + 2 * Workspace.bytes(type, beyond, heads)
        + 2 * Workspace.bytes(precision.feedForward(), tokens, config.intermediateSize())
        + (precision == Precision.INT8 ? quantizedBytes(config, tokens) : 0);
  }

  /** What kernels hold for int8 products: the quantised operand, and a result. */
  private static long quantizedBytes(MistralConfig config, int tokens) {
    long operand = Math.max(config.intermediateSize(), config.hiddenSize());
    return tokens * (operand + (long) config.hiddenSize() * Float.BYTES);
  }

  @Override
  public void close() {
    workspace.close();
    buffers = Optional.empty();
  }
}
