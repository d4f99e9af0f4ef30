package io.sirocco.engine;

import io.sirocco.sampling.GenerationException;
import io.sirocco.sampling.GenerationSettings;
import java.util.Optional;
import java.util.OptionalInt;

/** What rows of {@link Task.Generate} can come to need, and whether they can be written at all. */
record RowSizes(GenerationSettings settings, KvBudget budget) {

  /** Of the keys and values of all its texts. */
  long bytes(GeneratingRow.Size size) {
    long one = budget.bytes(size.mostTokens());
    boolean overflows = one > Long.MAX_VALUE / size.sequences();
    return overflows ? Long.MAX_VALUE : one * size.sequences();
  }

  /** Empty if the settings leave no room for a token. */
  Optional<GeneratingRow.Size> of(Intake.Accepted row) {
    int prompt = GeneratingRow.visible(row.row()).length;
    try {
      int maxNew = settings.maxNewTokens(row.row().length());
      int sequences = settings.numBeams() > 1 ? settings.numBeams() : settings.samples();
      return Optional.of(new GeneratingRow.Size(prompt, Math.addExact(prompt, maxNew), sequences));
    } catch (GenerationException e) {
      return Optional.empty();
    }
  }

  /** Why the row cannot be written at all. */
  Optional<RowOutcome> refusal(Intake.Accepted row) {
    OptionalInt tokens = OptionalInt.of(row.tokenCount());
    Optional<GeneratingRow.Size> size = of(row);
    if (size.isEmpty()) {
      String message =
          "the prompt has " + row.tokenCount() + " tokens, which max-length leaves no room behind";
      return Optional.of(new RowOutcome.Failed(RowErrorCode.TOO_LONG, message, tokens));
    }
    if (size.get().promptTokens() == 0) {
      String message = "the attention mask hides every token";
      return Optional.of(new RowOutcome.Failed(RowErrorCode.EMPTY_TOKENS, message, tokens));
    }
    long bytes = bytes(size.get());
    if (bytes > budget.capacity()) {
      return Optional.of(
          new RowOutcome.Failed(
              RowErrorCode.KV_MEMORY,
              "%d texts of up to %d tokens need %d bytes of keys and values, generate.kv-memory is %d"
                  .formatted(
                      size.get().sequences(), size.get().mostTokens(), bytes, budget.capacity()),
              tokens));
    }
    return Optional.empty();
  }
}
