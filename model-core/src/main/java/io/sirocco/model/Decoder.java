package io.sirocco.model;

import io.sirocco.kernel.AttentionBlock;
import io.sirocco.kernel.Kernels;
import io.sirocco.kernel.Matrix;
import io.sirocco.kernel.Precision;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;

/**
 * Runs a {@link MistralModel} over flat batches: the mutable side, with the activations' memory.
 * One thread at a time. Closing frees the memory; model and allocator stay the caller's.
 *
 * <p>Shapes: M tokens of a chunk, D hidden_size, H heads, G key-value heads, d head_dim, F
 * intermediate_size. T is the precision's activation type; the residual stream is F32.
 */
public final class Decoder implements AutoCloseable {
  private final MistralModel model;
  private final MistralConfig config;
  private final Kernels kernels;
  private final AttentionBlocks blocks;
  private final AttentionMasks masks;
  private final RotaryEmbedding rotary;
  private final Activations activations;
  private final float scoreScale;

  public Decoder(MistralModel model, BufferAllocator allocator) {
    this.model = model;
    this.config = model.config();
    this.kernels = model.kernels();
    this.blocks = new AttentionBlocks(config.slidingWindow());
    this.masks = new AttentionMasks(blocks, allocator);
    this.rotary = new RotaryEmbedding(RotaryFrequencies.of(config));
    this.activations = new Activations(config, kernels.precision(), allocator);
    this.scoreScale = (float) Math.pow(config.headDim(), -0.5);
  }

  /** As {@link #forward(List, LayerObserver)}, unobserved. */
  public Matrix forward(List<TokenRow> rows) {
    return forward(rows, LayerObserver.NONE);
  }

  /**
   * The residual stream behind the last layer, before the final norm: F32 {@code [tokens, D]}, the
   * rows' tokens one after the other. Valid until the next call. A row's values depend on that row
   * alone.
   *
   * @throws IndexOutOfBoundsException if an id is not within the vocabulary
   */
  public Matrix forward(List<TokenRow> rows, LayerObserver observer) {
    BatchPlan plan = BatchPlan.of(rows, blocks);
    Activations.Batch memory = activations.prepare(plan);
    Matrix residual = memory.residual();
    embed(rows, residual);
    observer.after(0, residual);
    for (int index = 0; index < model.layers().size(); index++) {
      for (BatchPlan.Chunk chunk : plan.chunks()) {
        layer(model.layers().get(index), plan, chunk, memory);
      }
      observer.after(index + 1, residual);
    }
    return residual;
  }

  private void embed(List<TokenRow> rows, Matrix residual) {
    float[] vector = new float[config.hiddenSize()];
    int token = 0;
    for (TokenRow row : rows) {
      for (int id : row.ids()) {
        model.embedding().readRow(id, vector);
        residual.writeRow(token++, vector);
      }
    }
  }

  private void layer(
      DecoderLayer layer, BatchPlan plan, BatchPlan.Chunk chunk, Activations.Batch memory) {
    Matrix residual = memory.residual().slice(chunk.firstToken(), chunk.tokens());
    Activations.Chunk at = memory.chunk().first(chunk.tokens());

    kernels.rmsNorm(residual, layer.inputNorm(), config.rmsNormEps(), at.normed());
    kernels.linear(at.normed(), layer.query(), at.rawQueries());
    kernels.linear(at.normed(), layer.key(), at.rawKeys());
    kernels.linear(at.normed(), layer.value(), at.newValues());
    for (BatchPlan.Segment segment : chunk.segments()) {
      rotateAndStore(segment, at, memory);
      attend(plan.rows().get(segment.row()), segment, at, memory);
    }
    kernels.linearAdd(at.attended(), layer.attentionOut(), residual);

    kernels.rmsNorm(residual, layer.feedForwardNorm(), config.rmsNormEps(), at.normed());
    kernels.linear(at.normed(), layer.up(), at.up());
    kernels.gatedLinear(at.normed(), layer.gate(), config.hiddenAct(), at.up(), at.gated());
    kernels.linearAdd(at.gated(), layer.down(), residual);
  }

  /** Keys are stored rotated, at their row's slots; values as they are. */
  private void rotateAndStore(
      BatchPlan.Segment segment, Activations.Chunk at, Activations.Batch memory) {
    int offset = segment.offset();
    int length = segment.length();
    int slot = segment.keySlot() + segment.from();
    RotaryEmbedding.Table table = rotary.table(segment.rowLength());
    float[][] cos = table.cos(segment.from(), length);
    float[][] sin = table.sin(segment.from(), length);
    kernels.rotate(
        at.rawQueries().slice(offset, length), cos, sin, at.queries().slice(offset, length));
    kernels.rotate(at.rawKeys().slice(offset, length), cos, sin, memory.keys().slice(slot, length));
    at.newValues().copyRows(offset, length, memory.values(), slot);
  }

  /**
   * Blocks reach behind a row's end, where they compute something for nobody: it lands on rows of
   * {@code attended} that are computed later, or on slack. So segments must come in order.
   */
  private void attend(
      TokenRow row, BatchPlan.Segment segment, Activations.Chunk at, Activations.Batch memory) {
    for (AttentionBlocks.Block block : blocks.of(segment.from(), segment.length())) {
      int query = segment.offset() + block.firstQuery() - segment.from();
      int slot = segment.keySlot() + block.firstSlot();
      kernels.attend(
          new AttentionBlock(
              at.queries().slice(query, block.queries()),
              memory.keys().slice(slot, block.slots()),
              memory.values().slice(slot, block.slots()),
              masks.mask(block, row.attentionMask()),
              config.numAttentionHeads(),
              config.numKeyValueHeads(),
              scoreScale,
              at.attendedAndBeyond().slice(query, block.queries())));
    }
  }

  /**
   * Upper bound, but for a few MiB, of the native memory that batches of that many tokens take, or
   * a single row of {@code longestRow} tokens where that is more.
   */
  public static long workspaceBytes(
      MistralConfig config, Precision precision, int batchTokens, int longestRow) {
    AttentionBlocks blocks = new AttentionBlocks(config.slidingWindow());
    int slots = Math.max(blocks.mostKeySlots(batchTokens), blocks.keySlots(longestRow));
    int tokens = Math.max(batchTokens, longestRow);
    Activations.Sizes sizes =
        new Activations.Sizes(tokens, slots, Math.min(tokens, BatchPlan.CHUNK + 1));
    int group = config.numAttentionHeads() / config.numKeyValueHeads();
    return Activations.bytes(config, precision, sizes) + blocks.scoreBytes(longestRow, group);
  }

  @Override
  public void close() {
    masks.close();
    activations.close();
  }
}
