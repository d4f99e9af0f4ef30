package io.sirocco.spark.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.sirocco.engine.Beginning;
import io.sirocco.engine.EmbedPrompt;
import io.sirocco.engine.EngineOptions;
import io.sirocco.engine.PoolingChoice;
import io.sirocco.engine.Task;
import io.sirocco.engine.Toggle;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The keys of embedding jobs. */
class EmbedConfigTest extends JobFiles {
  private static final String EMBED =
      """
      task: embed
      model: {path: m}
      input: {path: in.jsonl, text-column: text}
      output: {path: out}
      """;

  private Task task(String... overrides) {
    return read(EMBED, overrides).engineOptions().task();
  }

  @Test
  void whatIsNotGivenIsLeftToTheModel() {
    assertThat(task())
        .isEqualTo(
            new Task.Embed(
                PoolingChoice.AUTO, Toggle.AUTO, 0, EmbedPrompt.ofFolder(), Toggle.AUTO));
    assertThat(task("embed.normalize=auto", "embed.append-eos=auto")).isEqualTo(task());
    // What the model's folder puts before texts is shared, where there is something.
    assertThat(read(EMBED).engineOptions().reuse().beginning()).isEqualTo(new Beginning.Text(""));
  }

  @Test
  void whatIsGivenCounts() {
    assertThat(
            task(
                "embed.pooling=mean",
                "embed.normalize=false",
                "embed.dimensions=256",
                "embed.instruction=Find it",
                "embed.append-eos=true"))
        .isEqualTo(
            new Task.Embed(
                PoolingChoice.MEAN,
                Toggle.FALSE,
                256,
                EmbedPrompt.instruction("Find it"),
                Toggle.TRUE));
    assertThat(((Task.Embed) task("embed.prompt-name=query")).prompt())
        .isEqualTo(EmbedPrompt.named("query"));
    assertThat(((Task.Embed) task("embed.prompt-name=none")).prompt())
        .isEqualTo(EmbedPrompt.none());
  }

  @Test
  void theEffectiveConfigurationReadsBackAsTheSame() {
    for (String[] overrides :
        List.of(
            new String[] {},
            new String[] {"embed.pooling=last", "embed.normalize=true", "embed.append-eos=false"},
            new String[] {"embed.dimensions=16", "embed.instruction='a: b\n'"},
            new String[] {"embed.prompt-name=none"})) {
      JobConfig config = read(EMBED, overrides);
      assertThat(read(JobConfigWriter.toYaml(config))).isEqualTo(config);
    }
  }

  @Test
  void theSampleJobIsRead() {
    JobConfig sample = JobConfigReader.read(Path.of("../configs/embed-tickets.yaml"), List.of());
    assertThat(sample.task()).isEqualTo(JobConfig.Task.EMBED);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "embed.pooling=cls | embed.pooling is 'cls'",
        "embed.pooling=means | did you mean 'mean'?",
        "embed.normalize=sometimes | embed.normalize is 'sometimes', expected auto, true or false",
        "embed.normalize=1 | embed.normalize is '1', expected true or false",
        "embed.dimensions=0 | a whole number from 1 to",
        "embed.append_eos=true | unknown key embed.append_eos; did you mean embed.append-eos?",
        "classify.threshold=0.5 | classify.threshold is for task classify",
        "output.logits=true | output.logits is for task classify",
        "generate.seed=1 | generate.seed is for task generate",
        "score.labels=[a] | score.labels is for task score",
        "input.chat=true | go with tasks generate and score only",
        "task=classify,embed.pooling=last | embed.pooling is for task embed",
        "embed.instruction=x,embed.prompt-name=y | at most one of instruction and prompt-name",
      })
  void whatMakesNoSenseIsRefused(String overrides, String message) {
    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(() -> read(EMBED, overrides.split(",(?=[a-z]+[.=])")))
        .withMessageContaining(message);
  }

  @Test
  void tokensAreUsedAsTheyAre() {
    String[] tokens = {"input.text-column=null", "input.tokens-column=ids"};
    for (String key :
        List.of("embed.instruction=x", "embed.prompt-name=query", "embed.append-eos=true")) {
      assertThatExceptionOfType(ConfigException.class)
          .isThrownBy(() -> read(EMBED, tokens[0], tokens[1], key))
          .withMessageContaining("tokens are used as they are");
    }
    for (String key : List.of("embed.prompt-name=none", "embed.append-eos=false")) {
      assertThat(read(EMBED, tokens[0], tokens[1], key).task()).isEqualTo(JobConfig.Task.EMBED);
      EngineOptions options = read(EMBED, tokens[0], tokens[1], key).engineOptions();
      assertThat(((Task.Embed) options.task()).prompt()).isEqualTo(EmbedPrompt.ofTokens());
      assertThat(options.reuse().beginning()).isEqualTo(new Beginning.Unknown());
    }
  }
}
