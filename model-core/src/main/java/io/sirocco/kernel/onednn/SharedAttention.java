package io.sirocco.kernel.onednn;

import io.sirocco.kernel.AttentionBlock;
import io.sirocco.kernel.Precision;
import java.util.ArrayList;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;

/**
 * Attention of many blocks: large ones one after the other, each within the team; small ones, such
 * as those of texts that grow by a token, shared out among threads, each of which works alone.
 */
final class SharedAttention implements AutoCloseable {
  /** Seconds of one core from which on a block keeps a team busy. */
  private static final double LARGE = 2e-3;

  /** Seconds of one core below which waking threads is not worth while. */
  private static final double FEW = 300e-6;

  private final Crew crew;
  private final List<Lane> ownLanes;
  private final List<Attention> members;

  private SharedAttention(Crew crew, List<Lane> ownLanes, List<Attention> members) {
    this.crew = crew;
    this.ownLanes = ownLanes;
    this.members = members;
  }

  /** Crew and lane, which is the calling thread's, stay the caller's. */
  static SharedAttention of(
      OneDnn library,
      Crew crew,
      OpenMpTeam team,
      Lane lane,
      Precision precision,
      BufferAllocator allocator) {
    List<Lane> own = new ArrayList<>();
    List<Attention> members = new ArrayList<>();
    members.add(new Attention(lane, precision, allocator));
    for (int member = 1; member < crew.members(); member++) {
      Lane mine = new Lane(library, team.ofOne(), allocator);
      own.add(mine);
      members.add(new Attention(mine, precision, allocator));
    }
    return new SharedAttention(crew, own, members);
  }

  void attend(List<AttentionBlock> blocks) {
    Attention first = members.get(0);
    double total = 0;
    double longest = 0;
    for (AttentionBlock block : blocks) {
      double seconds = first.estimate(block);
      total += seconds;
      longest = Math.max(longest, seconds);
    }
    if (crew.members() == 1 || blocks.size() == 1 || total < FEW || longest >= LARGE) {
      blocks.forEach(first::attend);
    } else {
      crew.run(
          blocks.size(), (block, member) -> members.get(member).attendAlone(blocks.get(block)));
    }
  }

  @Override
  public void close() {
    members.forEach(Attention::close);
    ownLanes.forEach(Lane::close);
  }
}
