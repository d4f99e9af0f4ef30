package io.sirocco.spark.run;

import io.sirocco.checkpoint.ByteCount;
import io.sirocco.engine.EnginePlan;
import io.sirocco.engine.MemoryPlan;
import io.sirocco.spark.config.JobConfig;
import io.sirocco.spark.config.JobConfigWriter;
import java.io.PrintWriter;
import java.util.Locale;

/** Says what a job will do, before it does. */
public final class PlanReport {
  private PlanReport() {}

  static void print(JobConfig config, EnginePlan plan, PrintWriter out) {
    out.println("# effective configuration");
    out.println(JobConfigWriter.toYaml(config).stripTrailing());
    out.println();
    out.println("model        " + plan.model());
    out.println("fingerprint  " + plan.fingerprint());
    plan.labels()
        .ifPresent(
            labels ->
                out.println(
                    "labels       "
                        + labels.kind().name().toLowerCase(Locale.ROOT)
                        + " "
                        + labels.names()));
    plan.settings().forEach(setting -> out.println("setting      " + setting));
    out.println("precision    " + plan.precision().name().toLowerCase(Locale.ROOT));
    out.println("kernels      " + plan.kernels());
    out.println("memory       " + describe(plan.memory()));
    plan.notes().forEach(note -> out.println("note         " + note));
    out.flush();
  }

  /** On one line. */
  public static String describe(MemoryPlan memory) {
    return String.format(
        Locale.ROOT,
        "weights %s mapped and shared, %s copied; workspace at most %s%s for each executor; %s"
            + " available here",
        ByteCount.shown(memory.weightsMapped()),
        ByteCount.shown(memory.weightsCopied()),
        ByteCount.shown(memory.workspace()),
        (memory.kvCache() == 0
                ? ""
                : ", keys and values at most " + ByteCount.shown(memory.kvCache()))
            + (memory.sharedPrefix() == 0
                ? ""
                : ", what rows begin with " + ByteCount.shown(memory.sharedPrefix())),
        ByteCount.shown(memory.available()));
  }
}
