package io.sirocco.engine;

import io.sirocco.checkpoint.Checkpoint;
import io.sirocco.checkpoint.ModelException;
import io.sirocco.engine.EmbedSettings.Given;
import io.sirocco.model.Pooling;
import io.sirocco.sampling.Origin;
import io.sirocco.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What a job that embeds does with texts before they are computed.
 *
 * @param prompt put before each text; empty for none
 * @param appended whether the end-of-sequence token is put behind each text
 * @param ending that token; empty for none
 * @param notes what deserves a look; for people
 */
record EmbedTexts(
    Given<String> prompt, Given<Boolean> appended, OptionalInt ending, List<String> notes) {

  /** Of a job whose rows are tokens: what the folder says of texts is not even read. */
  static EmbedTexts none() {
    return new EmbedTexts(
        new Given<>("", Origin.JOB),
        new Given<>(false, Origin.JOB),
        OptionalInt.empty(),
        List.of());
  }

  /**
   * What texts meet on their way.
   *
   * @param vocabSize of the model
   */
  record Surroundings(
      EngineOptions options, Checkpoint checkpoint, Tokenizer tokenizer, int vocabSize) {

    /**
     * @throws ModelException if the folder wants what is not supported, or the job what the folder
     *     does not have
     */
    EmbedTexts of(Task.Embed embed, SentenceTransformer folder, Pooling pooling) {
      folder.requireTextsAsTheyAre();
      Given<String> prompt = prompt(embed.prompt(), folder);
      if (!prompt.value().isEmpty()) {
        requirePossible(prompt.value(), folder, pooling);
      }
      EndToken end = EndToken.of(checkpoint, tokenizer);
      Given<Boolean> append =
          Given.of(EmbedSettings.wanted(embed.appendEos()), end.wanted(), false);
      return new EmbedTexts(
          prompt,
          append,
          append.value() ? OptionalInt.of(end.required(vocabSize)) : OptionalInt.empty(),
          notes(folder, end, append, pooling));
    }

    private static Given<String> prompt(EmbedPrompt prompt, SentenceTransformer folder) {
      String text = prompt.text();
      return switch (prompt.kind()) {
        case FOLDER -> Given.of(Optional.empty(), folder.defaultPrompt(), "");
        case NONE, TOKENS -> new Given<>("", Origin.JOB);
        case NAMED -> new Given<>(folder.prompt(text), Origin.JOB);
        case INSTRUCTION -> new Given<>("Instruct: " + text + "\nQuery: ", Origin.JOB);
      };
    }

    /** Rather before the first row than with each of them. */
    private void requirePossible(String prompt, SentenceTransformer folder, Pooling pooling) {
      if (pooling == Pooling.MEAN && !folder.meansIncludePrompts()) {
        throw new ModelException(
            checkpoint.folder().toString(),
            "include_prompt is false: a mean without the prompt's tokens is not supported; leave"
                + " the prompt out with embed.prompt-name: none, or set embed.pooling: last");
      }
      if (options.overLength() == OverLength.TRUNCATE_LEFT) {
        throw new ModelException(
            "model.over-length",
            "is truncate-left, which would cut off the prompt that each text begins with; set"
                + " truncate-right, or take away embed.instruction, or the prompt with"
                + " embed.prompt-name: none");
      }
      int[] ids;
      try {
        ids = tokenizer.encode(prompt, new BitSet()).ids();
      } catch (IllegalArgumentException e) {
        throw new ModelException(
            checkpoint.folder().toString(),
            "cannot tokenize what is put before texts: " + e.getMessage(),
            e);
      }
      int largest = Arrays.stream(ids).max().orElse(0);
      if (largest >= vocabSize) {
        throw new ModelException(
            checkpoint.folder().toString(),
            "what is put before texts has the token %d, but the model knows 0 to %d; take another"
                    .formatted(largest, vocabSize - 1)
                + " prompt with embed.prompt-name or embed.instruction");
      }
    }

    private List<String> notes(
        SentenceTransformer folder, EndToken end, Given<Boolean> append, Pooling pooling) {
      List<String> notes = new ArrayList<>();
      if (end.isAdded() && !append.value()) {
        notes.add("the tokenizer itself puts " + end.shown() + " behind each text");
      } else if (append.origin() == Origin.DEFAULT && pooling == Pooling.LAST) {
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
}
