package io.sirocco.engine;

import io.sirocco.sampling.GenerationOptions;
import java.io.Serializable;
import java.util.List;
import java.util.Objects;

/** What an engine does with its rows. */
public sealed interface Task extends Serializable {

  /** What its rows are. */
  default Prompts prompts() {
    return Prompts.plain();
  }

  /** Classes by the head of a MistralForSequenceClassification. */
  record Classify() implements Task {}

  /**
   * Text behind a prompt, by a MistralForCausalLM.
   *
   * @param options what the job says; the model's generation_config.json fills in the rest
   * @param prompts what rows are
   * @param kvMemory bytes that keys and values of all running rows may take together; 0 chooses
   * @param maxSequences texts that are written at the same time, whatever the memory
   * @param logprobs whether each token's log-probability is asked for
   */
  record Generate(
      GenerationOptions options, Prompts prompts, long kvMemory, int maxSequences, boolean logprobs)
      implements Task {

    /** Enough to be bound by arithmetic rather than by reading the weights. */
    public static final int DEFAULT_SEQUENCES = 64;

    public Generate {
      Objects.requireNonNull(options, "options");
      Objects.requireNonNull(prompts, "prompts");
      if (kvMemory < 0 || maxSequences < 1) {
        throw new IllegalArgumentException(
            "kvMemory " + kvMemory + ", maxSequences " + maxSequences);
      }
    }
  }

  /**
   * One vector for each row, by the decoder of any Mistral; heads are not read.
   *
   * @param pooling which hidden states count
   * @param normalize whether vectors have length 1
   * @param dimensions elements that are kept, the first ones; 0 for all
   * @param prompt put before each text
   * @param appendEos whether each text ends with the model's end-of-sequence token; tokens end as
   *     they are
   */
  record Embed(
      PoolingChoice pooling, Toggle normalize, int dimensions, EmbedPrompt prompt, Toggle appendEos)
      implements Task {
    public Embed {
      Objects.requireNonNull(pooling, "pooling");
      Objects.requireNonNull(normalize, "normalize");
      Objects.requireNonNull(prompt, "prompt");
      Objects.requireNonNull(appendEos, "appendEos");
      if (dimensions < 0) {
        throw new IllegalArgumentException("dimensions " + dimensions);
      }
      if (prompt.kind() == EmbedPrompt.Kind.TOKENS && appendEos == Toggle.TRUE) {
        throw new IllegalArgumentException("nothing is put behind tokens");
      }
    }

    /** All as the model's folder says. */
    public static Embed ofFolder() {
      return new Embed(PoolingChoice.AUTO, Toggle.AUTO, 0, EmbedPrompt.ofFolder(), Toggle.AUTO);
    }
  }

  /**
   * How probable each of a list of labels is as the text behind a prompt, by a MistralForCausalLM.
   *
   * @param labels for rows that bring none of their own; may be empty if all do
   * @param labelPrefix put before each label where it is tokenized, such as a space
   * @param prompts what rows are
   */
  record Score(List<String> labels, String labelPrefix, Prompts prompts) implements Task {
    public Score {
      labels = List.copyOf(labels);
      Objects.requireNonNull(labelPrefix, "labelPrefix");
      Objects.requireNonNull(prompts, "prompts");
    }
  }
}
