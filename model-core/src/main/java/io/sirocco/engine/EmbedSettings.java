package io.sirocco.engine;

import io.sirocco.checkpoint.ModelException;
import io.sirocco.model.EmbeddingForm;
import io.sirocco.model.Pooling;
import io.sirocco.sampling.EffectiveSetting;
import io.sirocco.sampling.Origin;
import io.sirocco.tokenizer.Encoding;
import io.sirocco.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
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
  private record Given<T>(T value, Origin origin) {
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
  static Optional<EmbedSettings> of(EngineOptions options, ModelFiles files, Tokenizer tokenizer) {
    return options.task() instanceof Task.Embed embed
        ? Optional.of(new Resolution(options, embed, files, tokenizer).settings())
        : Optional.empty();
  }

  /** The encoding with the ending behind it; truncation leaves it there. */
  Encoding ended(Encoding encoding) {
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

  /** What the settings are made of. */
  private record Resolution(
      EngineOptions options, Task.Embed embed, ModelFiles files, Tokenizer tokenizer) {

    EmbedSettings settings() {
      SentenceTransformer folder = SentenceTransformer.of(files.checkpoint());
      folder.requireTextsAsTheyAre();
      Optional<Pooling> wanted = wanted(embed.pooling());
      Given<Pooling> pooling =
          Given.of(wanted, wanted.isPresent() ? wanted : folder.pooling(), Pooling.LAST);
      Given<Boolean> normalize = Given.of(wanted(embed.normalize()), folder.normalizes(), true);
      Given<Integer> dimensions = dimensions();
      Given<String> prompt = prompt(folder);
      EndToken end = EndToken.of(files.checkpoint(), tokenizer);
      Given<Boolean> append = Given.of(wanted(embed.appendEos()), end.wanted(), false);
      if (pooling.value() == Pooling.MEAN
          && !prompt.value().isEmpty()
          && !folder.meansIncludePrompts()) {
        throw new ModelException(
            folder.checkpoint().folder().toString(),
            "include_prompt is false: a mean without the prompt's tokens is not supported; leave"
                + " the prompt out with embed.prompt-name: none, or set embed.pooling: last");
      }
      return new EmbedSettings(
          new EmbeddingForm(pooling.value(), dimensions.value(), normalize.value()),
          prompt.value(),
          append.value() ? OptionalInt.of(end.required()) : OptionalInt.empty(),
          List.of(
              pooling.as("pooling"),
              normalize.as("normalize"),
              dimensions.as("dimensions"),
              new EffectiveSetting("prompt", quoted(prompt.value()), prompt.origin()),
              append.as("append-eos")),
          notes(folder, end, append));
    }

    private Given<Integer> dimensions() {
      int hidden = files.config().hiddenSize();
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

    private Given<String> prompt(SentenceTransformer folder) {
      String text = embed.prompt().text();
      return switch (embed.prompt().kind()) {
        case FOLDER -> Given.of(Optional.empty(), folder.defaultPrompt(), "");
        case NONE -> new Given<>("", Origin.JOB);
        case NAMED -> new Given<>(folder.prompt(text), Origin.JOB);
        case INSTRUCTION -> new Given<>("Instruct: " + text + "\nQuery: ", Origin.JOB);
      };
    }

    private List<String> notes(SentenceTransformer folder, EndToken end, Given<Boolean> append) {
      List<String> notes = new ArrayList<>();
      if (end.isAdded() && !append.value()) {
        notes.add("the tokenizer itself puts " + end.name() + " behind each text");
      } else if (append.origin() == Origin.DEFAULT) {
        notes.add(
            "no end-of-sequence token is put behind texts, as nothing in the model's folder asks for"
                + " it; models such as e5-mistral want embed.append-eos: true");
      }
      folder
          .maxTokens()
          .ifPresent(
              most -> {
                if (most != options.maxTokens()) {
                  notes.add(
                      "the model's folder cuts texts off at %d tokens, model.max-tokens is %d"
                          .formatted(most, options.maxTokens()));
                }
              });
      return List.copyOf(notes);
    }
  }

  private static Optional<Pooling> wanted(PoolingChoice choice) {
    return switch (choice) {
      case AUTO -> Optional.empty();
      case LAST -> Optional.of(Pooling.LAST);
      case MEAN -> Optional.of(Pooling.MEAN);
    };
  }

  private static Optional<Boolean> wanted(Toggle toggle) {
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
