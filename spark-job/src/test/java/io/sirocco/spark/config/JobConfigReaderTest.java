package io.sirocco.spark.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.sirocco.engine.Beginning;
import io.sirocco.engine.KernelChoice;
import io.sirocco.engine.OverLength;
import io.sirocco.engine.PrecisionChoice;
import io.sirocco.engine.WeightOptions;
import io.sirocco.spark.store.ModelPath;
import io.sirocco.tokenizer.SpecialTokenText;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JobConfigReaderTest extends JobFiles {
  private static final String SMALLEST =
      """
      model: {path: m}
      input: {path: in.jsonl, text-column: text}
      output: {path: out}
      """;

  @Test
  void theSmallestJobHasTheDocumentedDefaults() {
    JobConfig config = read(SMALLEST);

    assertThat(config.task()).isEqualTo(JobConfig.Task.CLASSIFY);
    assertThat(config.model())
        .isEqualTo(
            new JobConfig.Model(
                "m",
                PrecisionChoice.AUTO,
                KernelChoice.AUTO,
                WeightOptions.Form.AUTO,
                4096,
                OverLength.ERROR,
                SpecialTokenText.LITERAL,
                false,
                JobConfig.Adapters.NONE));
    assertThat(config.input().format()).isEqualTo(InputFormat.JSON);
    assertThat(config.input().textColumn()).contains("text");
    assertThat(config.input().keyColumns()).isEmpty();
    assertThat(config.output())
        .isEqualTo(new JobConfig.Output("out", OutputMode.ERROR, "", false, 1));
    assertThat(config.classify().threshold()).isEqualTo(0.5);
    assertThat(config.classify().topK()).isEmpty();
    assertThat(config.batch().maxTokens()).isEqualTo(2048);
    assertThat(config.batch().deadline()).hasMinutes(10);
    assertThat(config.errors().maxFailureRate()).isEqualTo(1.0);
  }

  @Test
  void theSampleJobHoldsTheDefaultsToo() throws IOException {
    JobConfig sample = JobConfigReader.read(Path.of("../configs/classify-tickets.yaml"), List.of());
    JobConfig smallest = read(SMALLEST);

    assertThat(sample.model())
        .usingRecursiveComparison()
        .ignoringFields("path")
        .isEqualTo(smallest.model());
    assertThat(sample.classify()).isEqualTo(smallest.classify());
    assertThat(sample.batch()).isEqualTo(smallest.batch());
    assertThat(sample.errors()).isEqualTo(smallest.errors());
  }

  @Test
  void theEffectiveConfigurationReadsBackAsItself() {
    JobConfig config =
        read(
            SMALLEST,
            "input.template='Subject: {subject} {{x}}'",
            "input.text-column=null",
            "input.options={multiLine: true, sep: \";\"}",
            "input.schema='subject string, body string'",
            "input.key-columns=[a, b]",
            "input.tokens-per-task=100000",
            "classify.top-k=3",
            "output.mode=append",
            "output.prefix='x: '",
            "output.logits=true",
            "model.require-identical=true",
            "batch.deadline=90s",
            "errors.max-failure-rate=0.25");

    assertThat(read(JobConfigWriter.toYaml(config))).isEqualTo(config);
    assertThat(config.input().options()).isEqualTo(Map.of("multiLine", "true", "sep", ";"));
    assertThat(config.input().keyColumns()).containsExactly("a", "b");
    assertThat(config.classify().topK()).contains(3);
  }

  @Test
  void tasksAreSizedByRowsOrByTokens() {
    assertThat(read(SMALLEST).input().rowsPerTask()).isEmpty();
    JobConfig config = read(SMALLEST, "input.rows-per-task=5000");
    assertThat(config.input().rowsPerTask()).contains(5000);
    assertThat(read(JobConfigWriter.toYaml(config))).isEqualTo(config);
    assertRefused(SMALLEST, "input.rows-per-task=0", "input.rows-per-task is '0'", "from 1");
    assertRefused(
        SMALLEST + "\n",
        "input={path: x, text-column: t, rows-per-task: 1, tokens-per-task: 2}",
        "at most one of rows-per-task and tokens-per-task");
  }

  @Test
  void deadlinesHaveAUnitOrAreNone() {
    for (String same : List.of("500ms", "90s", "10m", "120m", "none")) {
      JobConfig config = read(SMALLEST, "batch.deadline=" + same);
      assertThat(config.engineOptions().batchDeadline()).isEqualTo(config.batch().deadline());
      assertThat(JobConfigWriter.toYaml(config)).contains("deadline: " + same);
      assertThat(read(JobConfigWriter.toYaml(config))).isEqualTo(config);
    }
    assertThat(read(SMALLEST, "batch.deadline=2h").batch().deadline()).hasHours(2);
    assertThat(read(SMALLEST, "batch.deadline=0").batch().deadline()).isZero();
    assertRefused(SMALLEST, "batch.deadline=90", "batch.deadline is '90'", "such as 500ms, 90s");
    assertRefused(SMALLEST, "batch.deadline=-5s", "batch.deadline is '-5s'");
  }

  @Test
  void theSharedPrefixIsAWordOrANumberOfTokens() {
    assertThat(read(SMALLEST, "batch.shared-prefix=none").batch().sharedPrefix()).isZero();
    assertThat(read(SMALLEST, "batch.shared-prefix=auto").batch())
        .isEqualTo(read(SMALLEST).batch());
    assertThat(read(SMALLEST, "batch.shared-prefix=400").engineOptions().reuse().beginning())
        .isEqualTo(new Beginning.Tokens(400));
    assertRefused(SMALLEST, "batch.shared-prefix=0", "batch.shared-prefix is", "from 1 to 1048576");
    assertRefused(SMALLEST, "batch.shared-prefix=of", "batch.shared-prefix is 'of'", "auto | none");
    for (String same : List.of("auto", "none", "400")) {
      JobConfig config = read(SMALLEST, "batch.shared-prefix=" + same);
      assertThat(read(JobConfigWriter.toYaml(config))).isEqualTo(config);
    }
  }

  @Test
  void whatOfAJobIsSharedFollowsFromItsTemplate() {
    String template = "input={path: x, template: '%s'}";
    JobConfig shared = read(SMALLEST, template.formatted("Of {{a}}: {b}, {c}"));
    assertThat(shared.engineOptions().reuse().beginning())
        .isEqualTo(new Beginning.Text("Of {a}: "));
    assertThat(shared.engineOptions().reuse().answerBytes()).isPositive();
    for (JobConfig without :
        List.of(
            read(SMALLEST),
            read(SMALLEST, template.formatted("{b}, {c}")),
            read(SMALLEST, template.formatted("Of {b}"), "batch.shared-prefix=none"))) {
      assertThat(without.engineOptions().reuse().beginning()).isEqualTo(new Beginning.Unknown());
    }
    assertThat(read(SMALLEST, "batch.deduplicate=none").engineOptions().reuse().answerBytes())
        .isZero();
    assertRefused(
        SMALLEST.replace("path: out", "path: out, mode: append"),
        "batch.deduplicate=job",
        "does not go with output.mode: append");
  }

  @Test
  void anOverrideIsReadAsItIsWritten() {
    assertThat(read(SMALLEST, "input.options.sep='|'").input().options()).containsEntry("sep", "|");
    assertThat(read(SMALLEST, "input.options.sep=\"\\t\"").input().options())
        .containsEntry("sep", "\t");
    assertThat(read(SMALLEST, "output.path= a b#c ").output().path()).isEqualTo("a b#c");
    assertThat(read(SMALLEST, "output.prefix=").output().prefix()).isEmpty();
    assertThat(read(SMALLEST, "output.prefix=''").output().prefix()).isEmpty();
    assertThat(read(SMALLEST, "input.key-columns=[]").input().keyColumns()).isEmpty();
    assertRefused(SMALLEST, "input.options.sep=|", "reads the value as ''", "quotes");
  }

  @Test
  void overridesComeInTheirOrder() {
    assertThat(read(SMALLEST, "output.mode=append", "output.mode=overwrite").output().mode())
        .isEqualTo(OutputMode.OVERWRITE);
  }

  @Test
  void anInputMayBeATable() {
    JobConfig config = read(SMALLEST, "input.path=null", "input.table=db.rows");
    assertThat(config.input().table()).contains("db.rows");
    assertThat(config.input().path()).isEmpty();
    assertThat(read(JobConfigWriter.toYaml(config))).isEqualTo(config);
  }

  @Test
  void modelsMayBeUris() {
    assertThat(read(SMALLEST, "model.path=hdfs://h/a b/").model().path()).isEqualTo("hdfs://h/a b");
    assertThat(read(SMALLEST, "model.path=s3a://b/m%20x").model().path())
        .isEqualTo("s3a://b/m%20x");
    assertThat(ModelPath.isRemote("s3a://b/m")).isTrue();
    assertThat(ModelPath.isRemote("/models:2/m")).isFalse();
    assertThat(ModelPath.isRemote("models/a:b")).isFalse();

    assertThat(read(SMALLEST, "model.path=file:///a/b%20c").model().path()).isEqualTo("/a/b c");
    assertThat(read(SMALLEST, "model.path=file:/a/b").model().path()).isEqualTo("/a/b");
    assertThat(read(SMALLEST, "model.path=file:a/b").model().path()).isEqualTo("a/b");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "modle.path=x | unknown key modle | did you mean model?",
        "model.precison=x | unknown key model.precison | did you mean model.precision?",
        "input.text_column=x | unknown key input.text_column | did you mean input.text-column?",
        "output.zzzzzzzz=1 | unknown key output.zzzzzzzz | known here: path, mode, prefix, logits",
        "model.precision=bfloat | model.precision is 'bfloat' | did you mean 'bfloat16'?",
        "model.kernels=mkl | model.kernels is 'mkl' | auto | onednn | java",
        "model.max-tokens=0 | model.max-tokens is '0' | a whole number from 1 to 1048576",
        "model.max-tokens=1.5 | model.max-tokens is '1.5' | a whole number",
        "model.max-tokens=5000000000 | model.max-tokens is '5000000000' | a whole number",
        "batch.max-tokens=2000000000 | batch.max-tokens is | from 1 to 1048576",
        "model.path=hdfs:m | model.path is 'hdfs:m' | a folder, as a path or URI",
        "output.mode=errror | output.mode is 'errror' | did you mean 'error'?",
        "output.logits=yes please | output.logits is 'yes please' | true or false",
        "classify.threshold=1.5 | classify.threshold is '1.5' | a number from 0 to 1",
        "classify.threshold=.nan | classify.threshold=.nan | not YAML",
        "errors.max-failure-rate=-1 | errors.max-failure-rate is '-1' | a number from 0 to 1",
        "input.path=[] | input.path is '[]' | a list of texts",
        "input.path=[a, 5] | input.path is | a list of texts",
        "input.options=5 | input.options is '5' | a group of keys",
        "input.options={a: [1]} | input.options.a is | a simple value",
        "input.template='{x}' | exactly one of text-column, template, messages-column and tokens-column | found 2",
        "input.text-column=null | exactly one of text-column | found 0",
        "input.table=t | exactly one of path and table | input",
        "input.attention-mask-column=m | attention-mask-column | tokens-column only",
        "input=5 | input is '5' | a group of keys",
        "task=translate | task is 'translate' | classify | generate | score",
        "task=clasify | task is 'clasify' | classify",
        "=5 | --set =5 | KEY=VALUE",
        "output | --set output | KEY=VALUE",
        "output.mode=[ | --set output.mode=[ | not YAML",
        "input.path=*.jsonl | --set input.path=*.jsonl | does it need quotes?",
        "input.template=Ticket {id} #{id} | reads the value as 'Ticket {id}' | quotes",
        "input.options.sep=# | reads the value as '' | quotes",
        "output.path=*out | reads the value as 'out' | quotes"
      })
  void mistakesAreNamed(String override, String what, String help) {
    assertRefused(SMALLEST, override, what, help);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "[1, 2]", "just words", "# only a comment"})
  void filesWithoutKeysAreRefused(String yaml) {
    assertRefused(yaml, "", "job.yaml", "expected a job in YAML");
  }

  @Test
  void badFilesAreRefused() {
    assertRefused("a: [1", "", "job.yaml is not YAML");
    assertRefused(SMALLEST + "task: classify\ntask: classify\n", "", "not YAML", "task");
    assertRefused("x".repeat(2_000_000), "", "larger than a job file can be");
    assertRefused(
        "input: {path: x, text-column: y}\noutput: {path: z}", "", "model.path is missing");
    assertRefused(
        "model: {path: x}\ninput: {path: x, text-column: y}", "", "output.path is missing");
    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(() -> JobConfigReader.read(folder.resolve("none.yaml"), List.of()))
        .withMessageContaining("none.yaml");
  }

  @Test
  void nothingInAFileIsExecuted() {
    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(
            () ->
                read("model: !!javax.script.ScriptEngineManager [!!java.net.URL [\"http://x\"]]"));
  }
}
