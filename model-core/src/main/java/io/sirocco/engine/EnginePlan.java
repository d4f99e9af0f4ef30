package io.sirocco.engine;

import io.sirocco.kernel.Precision;
import io.sirocco.model.Labels;
import io.sirocco.sampling.EffectiveSetting;
import io.sirocco.sampling.GenerationKey;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;

/**
 * What an engine runs, or would run, with its options: decided before the first batch.
 *
 * @param model one line on the checkpoint: class, layers, sizes
 * @param fingerprint of the checkpoint and of all adapters, as hexadecimal digits
 * @param adapters fingerprint of each, by name
 * @param labels the classifier's labels and what its logits mean; those of {@link Task.Score} where
 *     the task names them; empty otherwise
 * @param settings of generation, or of embedding, with who gave them; empty for other tasks
 * @param precision the numeric mode chosen
 * @param weights how the layers' weights lie in memory: {@link WeightOptions.Form#STORED} or {@link
 *     WeightOptions.Form#PACKED}
 * @param kernels the kernels chosen, for people
 * @param notes what was decided by itself, or deserves a look; for people
 * @param memory what it takes
 */
public record EnginePlan(
    String model,
    String fingerprint,
    SortedMap<String, String> adapters,
    Optional<Labels> labels,
    List<EffectiveSetting> settings,
    Precision precision,
    WeightOptions.Form weights,
    String kernels,
    List<String> notes,
    MemoryPlan memory) {

  /** The numeric mode, as an option that insists on it. */
  public PrecisionChoice chosenPrecision() {
    return PrecisionChoice.of(precision);
  }

  /** A setting's value, as text; empty where nobody gave it one. */
  public Optional<String> setting(GenerationKey<?> key) {
    return settings.stream()
        .filter(setting -> setting.key().equals(key.name()))
        .map(EffectiveSetting::value)
        .findFirst();
  }

  /** Texts that are written for each row; 1 where none are written. */
  public int samples() {
    return setting(GenerationKey.N)
        .or(() -> setting(GenerationKey.NUM_RETURN_SEQUENCES))
        .map(Integer::parseInt)
        .orElse(1);
  }
}
