package io.sirocco.convert;

import io.sirocco.checkpoint.ElementType;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What to convert, and into what.
 *
 * @param from the folder or tar archive of a raw release
 * @param to the folder to make; nothing may be there
 * @param type of the weights; empty: each keeps its own
 * @param maxShardBytes most that the tensors of a file may have, unless one alone has more
 * @param maxPositions max_position_embeddings, which params.json may leave open
 */
public record ConversionOptions(
    Path from, Path to, Optional<ElementType> type, long maxShardBytes, OptionalInt maxPositions) {

  /** As transformers 4 cuts shards. */
  public static final long DEFAULT_SHARD_BYTES = 5_000_000_000L;

  public ConversionOptions {
    Objects.requireNonNull(from, "from");
    Objects.requireNonNull(type, "type");
    Objects.requireNonNull(maxPositions, "maxPositions");
    to = to.toAbsolutePath().normalize();
    if (maxShardBytes < 1 || maxPositions.orElse(1) < 1) {
      throw new IllegalArgumentException(
          "maxShardBytes " + maxShardBytes + ", maxPositions " + maxPositions);
    }
  }

  /** With the weights as they are. */
  public static ConversionOptions of(Path from, Path to) {
    return new ConversionOptions(
        from, to, Optional.empty(), DEFAULT_SHARD_BYTES, OptionalInt.empty());
  }
}
