package io.sirocco.spark.config;

import static io.sirocco.spark.config.EmbedSection.NO_PROMPT;

import io.sirocco.engine.Toggle;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Whether the keys of a job fit together. */
record JobConfigCheck(JobConfig config) {

  /**
   * @throws ConfigException if something is missing, or given twice
   */
  void requireComplete() {
    if (config.model().path().isEmpty()) {
      throw new ConfigException("model.path is missing");
    }
    if (config.output().path().isEmpty()) {
      throw new ConfigException("output.path is missing");
    }
    requireAdapters(config.model().adapters());
    requireInput(config.input());
    if (config.errors().keep() == JobConfig.Keep.SEPARATE
        && config.output().mode() != OutputMode.RESUME) {
      throw new ConfigException("errors.keep: separate goes with output.mode: resume only");
    }
    if (config.output().rounds() > 1 && config.output().mode() != OutputMode.RESUME) {
      throw new ConfigException("output.rounds goes with output.mode: resume only");
    }
    if (config.batch().deduplicate() == JobConfig.Deduplicate.JOB
        && config.output().mode() == OutputMode.APPEND) {
      throw new ConfigException(
          "batch.deduplicate: job does not go with output.mode: append; use another mode, or"
              + " deduplicate: partition");
    }
    if (config.input().duplicateKeys() == JobConfig.DuplicateKeys.NUMBER
        && config.input().keyColumns().isEmpty()) {
      throw new ConfigException("input.duplicate-keys goes with input.key-columns only");
    }
    requireChat(config.input());
    if (config.task() == JobConfig.Task.SCORE) {
      requireLabels(config.score());
    }
    requireEmbed(config.embed());
  }

  /**
   * @throws ConfigException if the job has another task than that which these keys are for
   */
  void requireTask(JobConfig.Task owner, List<String> keys) {
    if (config.task() != owner && !keys.isEmpty()) {
      throw new ConfigException(
          keys.get(0)
              + " is for task "
              + ConfigSection.kebab(owner)
              + ", but this job's task is "
              + ConfigSection.kebab(config.task())
              + "; remove the key, or change the task");
    }
  }

  private static void requireAdapters(JobConfig.Adapters adapters) {
    boolean named = !adapters.named().isEmpty();
    if (adapters.every().isPresent() && (named || adapters.column().isPresent())) {
      throw new ConfigException(
          "model needs at most one of adapter, for all rows, and adapters with adapter-column");
    }
    if (named != adapters.column().isPresent()) {
      throw new ConfigException(
          "model.adapters goes with model.adapter-column, which says a row's adapter; one of them"
              + " is missing");
    }
    adapters
        .named()
        .forEach(
            (name, folder) -> {
              if (name.isEmpty() || folder.isEmpty()) {
                throw new ConfigException("model.adapters", name + ": " + folder, "name: folder");
              }
              if (name.chars().anyMatch(Character::isISOControl)) {
                String shown = name.replaceAll("\\p{Cntrl}", "?");
                throw new ConfigException(
                    "model.adapters", shown, "names without control characters such as line ends");
              }
            });
  }

  private static void requireInput(JobConfig.Input input) {
    if (input.path().isEmpty() == input.table().isEmpty()) {
      throw new ConfigException("input needs exactly one of path and table");
    }
    long sources =
        Stream.of(
                input.textColumn(), input.template(), input.messagesColumn(), input.tokensColumn())
            .filter(Optional::isPresent)
            .count();
    if (sources != 1) {
      throw new ConfigException(
          "input needs exactly one of text-column, template, messages-column and tokens-column,"
              + " found "
              + sources);
    }
    if (input.attentionMaskColumn().isPresent() && input.tokensColumn().isEmpty()) {
      throw new ConfigException("input.attention-mask-column goes with tokens-column only");
    }
    if (input.rowsPerTask().isPresent() && input.tokensPerTask().isPresent()) {
      throw new ConfigException(
          "input needs at most one of rows-per-task and tokens-per-task; remove one");
    }
  }

  private void requireChat(JobConfig.Input input) {
    if (input.chat() && input.textColumn().isEmpty() && input.template().isEmpty()) {
      throw new ConfigException(
          "input.chat goes with text-column and template only: it makes a conversation of them");
    }
    boolean chat = input.chat() || input.messagesColumn().isPresent();
    if (input.systemPrompt().isPresent() && !chat) {
      throw new ConfigException(
          "input.system-prompt goes with messages-column, or with chat: true, only");
    }
    boolean writer =
        config.task() == JobConfig.Task.GENERATE || config.task() == JobConfig.Task.SCORE;
    if (chat && !writer) {
      throw new ConfigException(
          "input.messages-column and input.chat go with tasks generate and score only");
    }
  }

  /** Tokens are used as they are. */
  private void requireEmbed(JobConfig.Embed embed) {
    if (embed.instruction().isPresent() && embed.promptName().isPresent()) {
      throw new ConfigException(
          "embed needs at most one of instruction and prompt-name; remove one");
    }
    boolean named = embed.promptName().filter(name -> !name.equals(NO_PROMPT)).isPresent();
    boolean changed = embed.instruction().isPresent() || named || embed.appendEos() == Toggle.TRUE;
    if (changed && config.input().tokensColumn().isPresent()) {
      throw new ConfigException(
          "embed.instruction, embed.prompt-name and embed.append-eos go with texts only, not with"
              + " input.tokens-column: tokens are used as they are");
    }
  }

  private static void requireLabels(JobConfig.Score score) {
    if (score.labels().isEmpty() && score.labelsColumn().isEmpty()) {
      throw new ConfigException("score needs labels, or a labels-column, or both");
    }
    if (new HashSet<>(score.labels()).size() < score.labels().size()) {
      throw new ConfigException("score.labels", score.labels(), "labels that differ");
    }
  }
}
