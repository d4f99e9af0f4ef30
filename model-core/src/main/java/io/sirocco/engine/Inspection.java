package io.sirocco.engine;

import io.sirocco.kernel.Precision;
import io.sirocco.model.MistralConfig;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a folder, or an archive, is, and whatever stands in the way of using it.
 *
 * @param path looked at
 * @param kind what it is
 * @param config the model's hyperparameters, where they could be read
 * @param classifier whether it has a classifier's head
 * @param tasks what a job can do with it, by the job's words; none where there is no model that
 *     opens as it is
 * @param weights bytes of tensors by the type of their elements, as safetensors spell it
 * @param weightFiles files that hold them
 * @param tokenizer what the tokenizer is read from; empty if there is none
 * @param chatTemplate whether conversations can be rendered
 * @param memory an engine's, by precision, with the defaults of a job
 * @param problems every one that was found; none if the model can be used
 * @param notes what deserves a look
 */
public record Inspection(
    Path path,
    Kind kind,
    Optional<MistralConfig> config,
    boolean classifier,
    List<String> tasks,
    Map<String, Long> weights,
    int weightFiles,
    Optional<String> tokenizer,
    boolean chatTemplate,
    Map<Precision, MemoryPlan> memory,
    List<String> problems,
    List<String> notes) {

  /** What a folder is taken for, by its files. */
  public enum Kind {
    /** What transformers' save_pretrained writes. */
    HUGGING_FACE,
    /** Mistral's own form, which is opened as it is. */
    RAW_RELEASE,
    /** Mistral's own form, which has to be converted first: pickled, in parts, or an archive. */
    RAW_RELEASE_TO_CONVERT,
    /** A LoRA adapter, which needs the model it was trained on. */
    ADAPTER,
    /** A tokenizer without a model. */
    TOKENIZER,
    /** Nothing of these. */
    UNKNOWN
  }

  /**
   * Looks at it: reads headers and small files, whatever they hold, and computes nothing.
   *
   * @param path of this machine
   */
  public static Inspection of(Path path) {
    return new Inspector(path).inspect();
  }

  /** Bytes of all tensors. */
  public long weightBytes() {
    return weights.values().stream().mapToLong(Long::longValue).sum();
  }
}
