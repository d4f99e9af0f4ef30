package io.sirocco.kernel.onednn;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;

import io.sirocco.checkpoint.ElementType;
import io.sirocco.kernel.AttentionBlock;
import io.sirocco.kernel.Matrix;
import io.sirocco.kernel.Precision;
import io.sirocco.kernel.onednn.AttentionCalls.Step;
import org.apache.arrow.memory.BufferAllocator;

/**
 * Grouped-query attention of a block: scores, softmax, weighted sum, for as many key-value heads at
 * a time as keep the scores within {@link #MAX_SCORES}.
 */
final class Attention implements AutoCloseable {
  /** 16 MiB of scores in float32: within a processor's last-level cache. */
  private static final long MAX_SCORES = 4 << 20;

  private final Lane lane;
  private final WorkEstimate work;
  private final ElementType type;
  private final Scratch scores;
  private final Scratch probabilities;

  /** The lane stays the caller's. */
  Attention(Lane lane, Precision precision, BufferAllocator allocator) {
    this.lane = lane;
    this.work = new WorkEstimate(precision);
    this.type = precision.activation();
    this.scores = new Scratch(allocator);
    this.probabilities = new Scratch(allocator);
  }

  /** Seconds of one core. */
  double estimate(AttentionBlock block) {
    long products = (long) block.heads() * block.queries().rows() * block.keys().rows();
    return work.ofAttention(
        products * block.headDim(), 2L * block.keys().rows() * block.keys().rowBytes());
  }

  /** Within the calling thread's team, if that is worth while. */
  void attend(AttentionBlock block) {
    attend(block, estimate(block));
  }

  /** In the calling thread alone. */
  void attendAlone(AttentionBlock block) {
    attend(block, 0);
  }

  private void attend(AttentionBlock block, double secondsOfOneCore) {
    int q = block.queries().rows();
    int s = block.keys().rows();
    int group = block.heads() / block.kvHeads();
    int heads = kvHeadsAtOnce(block.kvHeads(), (long) group * q * s);
    long count = (long) heads * group * q * s;
    long scoresAt = scores.address(count * ElementType.F32.bytes());
    long probabilitiesAt =
        type == ElementType.F32 ? scoresAt : probabilities.address(count * type.bytes());
    double seconds = secondsOfOneCore * heads / block.kvHeads();
    for (int head = 0; head < block.kvHeads(); head += heads) {
      Heads at = new Heads(block, head, group);
      lane.execute(
          call(Step.SCORES, block, heads, seconds)
              .bind(DNNL_ARG_SRC, at.queries(block.queries()))
              .bind(DNNL_ARG_WEIGHTS, at.keys(block.keys()))
              .bind(AttentionCalls.ARG_MASK, block.mask().address())
              .bind(DNNL_ARG_DST, scoresAt));
      lane.execute(
          call(Step.SOFTMAX, block, heads, seconds)
              .bind(DNNL_ARG_SRC, scoresAt)
              .bind(DNNL_ARG_DST, probabilitiesAt));
      lane.execute(
          call(Step.WEIGHTED_SUM, block, heads, seconds)
              .bind(DNNL_ARG_SRC, probabilitiesAt)
              .bind(DNNL_ARG_WEIGHTS, at.keys(block.values()))
              .bind(DNNL_ARG_DST, at.queries(block.out())));
    }
  }

  /** Addresses of the first of several key-value heads and of the query heads that read it. */
  private record Heads(AttentionBlock block, int kvHead, int group) {
    long queries(Matrix matrix) {
      return matrix.address() + (long) kvHead * group * block.headDim() * matrix.type().bytes();
    }

    long keys(Matrix matrix) {
      return matrix.address() + (long) kvHead * block.headDim() * matrix.type().bytes();
    }
  }

  private Call call(Step step, AttentionBlock block, int heads, double seconds) {
    AttentionCalls.Shape shape = shape(step, block, heads);
    return lane.call(shape, seconds, cpu -> AttentionCalls.call(cpu, shape));
  }

  private static AttentionCalls.Shape shape(Step step, AttentionBlock block, int heads) {
    return block.queries().rows() == 1
        ? AttentionCalls.Shape.ofOneToken(step, block, heads)
        : AttentionCalls.Shape.ofBlock(step, block, heads);
  }

  /** The largest divisor of {@code kvHeads} that keeps the scores within bounds; 1 at least. */
  private static int kvHeadsAtOnce(int kvHeads, long scoresPerKvHead) {
    int heads = kvHeads;
    while (heads > 1 && (kvHeads % heads != 0 || heads * scoresPerKvHead > MAX_SCORES)) {
      heads--;
    }
    return heads;
  }

  @Override
  public void close() {
    scores.close();
    probabilities.close();
  }
}
