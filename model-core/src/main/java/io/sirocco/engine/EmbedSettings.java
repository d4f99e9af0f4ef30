package io.sirocco.engine;

import io.sirocco.checkpoint.Checkpoint;
import io.sirocco.checkpoint.ModelException;
import io.sirocco.model.EmbeddingForm;
import io.sirocco.model.MistralConfig;
import io.sirocco.model.Pooling;
import io.sirocco.sampling.EffectiveSetting;
import io.sirocco.sampling.Origin;
import io.sirocco.tokenizer.Encoding;
import io.sirocco.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What a job that embeds runs with: its own settings, then those of the model's folder, then
 * defaults.
 *
 * @param form of the embeddings
 * @param prompt put before each text; empty for none
 * @param ending the token put behind each text that does not end with it already; empty for none
 * @param effective each setting, with who gave it
 * @param notes what was decided by itself, or deserves a look; for people
 */
record EmbedSettings(
    EmbeddingForm form,
    String prompt,
    OptionalInt ending,
    List<EffectiveSetting> effective,
    List<String> notes) {

  /** A value and who gave it. */
  record Given<T>(T value, Origin origin) {
    static <T> Given<T> of(Optional<T> job, Optional<T> folder, T otherwise) {
      if (job.isPresent()) {
        return new Given<>(job.get(), Origin.JOB);
      }
      return folder
          .map(value -> new Given<>(value, Origin.FOLDER))
          .orElseGet(() -> new Given<>(otherwise, Origin.DEFAULT));
    }

    EffectiveSetting as(String key) {
      return new EffectiveSetting(key, value.toString().toLowerCase(Locale.ROOT), origin);
    }
  }

  /**
   * Empty for other tasks.
   *
   * @throws ModelException if the folder wants what is not supported, or the job what the folder
   *     does not have
   */
  static Optional<EmbedSettings> of(
      EngineOptions options, Checkpoint checkpoint, MistralConfig config, Tokenizer tokenizer) {
    if (!(options.task() instanceof Task.Embed embed)) {
      return Optional.empty();
    }
    EmbedTexts.Surroundings around =
        new EmbedTexts.Surroundings(options, checkpoint, tokenizer, config.vocabSize());
    return Optional.of(of(embed, SentenceTransformer.of(checkpoint), around, config.hiddenSize()));
  }

  /**
   * A row's text behind the prompt, and the ending behind both. Of the prompt, unlike the text, a
   * control token's name is that token.
   *
   * @throws IllegalArgumentException as {@link Tokenizer#encode(String)}
   */
  Encoding encoding(Tokenizer tokenizer, String text) {
    if (prompt.isEmpty()) {
      return ended(tokenizer.encode(text));
    }
    BitSet fromRow = new BitSet();
    fromRow.set(prompt.length(), prompt.length() + text.length());
    return ended(tokenizer.encode(prompt + text, fromRow));
  }

  /** Truncation leaves the ending there. */
  private Encoding ended(Encoding encoding) {
    if (ending.isEmpty() || endsWith(encoding, ending.getAsInt())) {
      return encoding;
    }
    int[] ids = Arrays.copyOf(encoding.ids(), encoding.length() + 1);
    ids[encoding.length()] = ending.getAsInt();
    return new Encoding(ids, encoding.prefix(), encoding.suffix() + 1);
  }

  private static boolean endsWith(Encoding encoding, int id) {
    return encoding.suffix() > 0 && encoding.ids()[encoding.length() - 1] == id;
  }

  private static EmbedSettings of(
      Task.Embed embed, SentenceTransformer folder, EmbedTexts.Surroundings around, int hidden) {
    Optional<Pooling> wanted = wanted(embed.pooling());
    Given<Pooling> pooling =
        Given.of(wanted, wanted.isPresent() ? wanted : folder.pooling(), Pooling.LAST);
    Given<Boolean> normalize = Given.of(wanted(embed.normalize()), folder.normalizes(), true);
    Given<Integer> dimensions = dimensions(embed, hidden);
    EmbedTexts texts =
        embed.prompt().kind() == EmbedPrompt.Kind.TOKENS
            ? EmbedTexts.none()
            : around.of(embed, folder, pooling.value());
    List<String> notes = new ArrayList<>(texts.notes());
    if (pooling.value() == Pooling.MEAN
        && around.options().reuse().beginning() instanceof Beginning.Tokens) {
      notes.add(
          "batch.shared-prefix has no effect with pooling mean: the hidden states of all tokens are"
              + " needed");
    }
    return new EmbedSettings(
        new EmbeddingForm(pooling.value(), dimensions.value(), normalize.value()),
        texts.prompt().value(),
        texts.ending(),
        List.of(
            pooling.as("pooling"),
            normalize.as("normalize"),
            dimensions.as("dimensions"),
            new EffectiveSetting("prompt", quoted(texts.prompt().value()), texts.prompt().origin()),
            texts.appended().as("append-eos")),
        List.copyOf(notes));
  }

  private static Given<Integer> dimensions(Task.Embed embed, int hidden) {
    if (embed.dimensions() > hidden) {
      throw new ModelException(
          "embed.dimensions",
          "is " + embed.dimensions() + ", but the model's hidden_size is " + hidden);
    }
    return Given.of(
        embed.dimensions() == 0 ? Optional.empty() : Optional.of(embed.dimensions()),
        Optional.empty(),
        hidden);
  }

  private static Optional<Pooling> wanted(PoolingChoice choice) {
    return switch (choice) {
      case AUTO -> Optional.empty();
      case LAST -> Optional.of(Pooling.LAST);
      case MEAN -> Optional.of(Pooling.MEAN);
    };
  }

  static Optional<Boolean> wanted(Toggle toggle) {
    return toggle == Toggle.AUTO ? Optional.empty() : Optional.of(toggle == Toggle.TRUE);
  }

  /** On one line, without what a terminal would obey; no two prompts are the same. */
  private static String quoted(String prompt) {
    StringBuilder quoted = new StringBuilder("'");
    for (char c : prompt.replace("\\", "\\\\").replace("\n", "\\n").toCharArray()) {
      if (Character.isISOControl(c)) {
        quoted.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
      } else {
        quoted.append(c);
      }
    }
    return quoted.append('\'').toString();
  }
}
