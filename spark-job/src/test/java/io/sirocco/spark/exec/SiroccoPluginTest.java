package io.sirocco.spark.exec;

import static org.assertj.core.api.Assertions.assertThat;

import io.sirocco.engine.EngineStatistics;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;

/** What Prometheus is told of a job, and what the UI shows of it. */
class SiroccoPluginTest {
  private static final Pattern LINE =
      Pattern.compile(
          "metrics_sirocco_driver_plugin_\\w*SiroccoPlugin_(\\w+)_Value\\{.*\\} (\\S+)");
  private static final int ROWS = 300;
  private static final List<String> PREFIXES = List.of("engine_", "total_", "executor_driver_");

  @Test
  void thePrometheusServletOfTheDriverShowsTheEngines() throws Exception {
    SparkSession spark =
        SparkSession.builder()
            .master("local[2]")
            .appName("sirocco-plugin-test")
            .config("spark.driver.host", "localhost")
            .config("spark.ui.enabled", "true")
            .config("spark.ui.port", "0")
            .config("spark.plugins", SiroccoPlugin.class.getName())
            .config("spark.sirocco.metrics.period", "100ms")
            .config("spark.metrics.namespace", "sirocco")
            .config(
                "spark.metrics.conf.*.sink.prometheusServlet.class",
                "org.apache.spark.metrics.sink.PrometheusServlet")
            .config("spark.metrics.conf.*.sink.prometheusServlet.path", "/metrics/prometheus")
            .getOrCreate();
    try {
      // Of other tests in this JVM, whose engines are closed.
      EngineStatistics before = ExecutorEngine.snapshot().statistics();
      double rows = before.rows().done() + ROWS;
      classify(spark);
      Map<String, Double> metrics = awaitRows(spark, rows);

      for (String prefix : PREFIXES) {
        assertThat(metrics.get(prefix + "rows")).as(prefix).isEqualTo(rows);
        assertThat(metrics.get(prefix + "engines")).isEqualTo(1);
        assertThat(metrics.get(prefix + "rowsQueued")).isZero();
        assertThat(metrics.get(prefix + "tokensRead") - before.tokens().read())
            .isGreaterThan(ROWS * 10);
        assertThat(metrics.get(prefix + "tokensReadPerSecond")).isNotNegative();
        assertThat(metrics.get(prefix + "batches") - before.batches().count())
            .isBetween(1.0, (double) ROWS);
        // A mean over all that this JVM has done: other tests' batches of one row count, too.
        assertThat(metrics.get(prefix + "batchFill")).isPositive().isLessThanOrEqualTo(1);
        assertThat(metrics.get(prefix + "weightsMappedBytes")).isBetween(2e6, 2.1e6);
        assertThat(metrics.get(prefix + "nativeBytes")).isGreaterThan(1e5);
        assertThat(metrics.get(prefix + "nativeBytesPeak"))
            .isGreaterThanOrEqualTo(metrics.get(prefix + "nativeBytes"));
        assertThat(metrics.get(prefix + "kvBytes")).isZero();
      }
      // What the page of a stage shows comes from here.
      String api = "/api/v1/applications/" + spark.sparkContext().applicationId() + "/stages";
      assertThat(get(spark, api))
          .contains("\"name\" : \"sirocco\"")
          .contains(ROWS + " rows, 0 failed {}, ");
    } finally {
      spark.stop();
      ExecutorEngine.closeIdle();
    }
  }

  private static void classify(SparkSession spark) {
    RunTotals totals = new RunTotals();
    spark.sparkContext().register(totals, "sirocco");
    Dataset<Row> rows =
        spark.read().json(TicketModel.SAMPLES + "tickets.jsonl").limit(ROWS).select("id", "text");
    DataFrameTask.results(
            rows.localCheckpoint(),
            RowColumns.of(new ModelInput.Text("text")),
            TicketModel.float32(),
            RowCounters.into(totals))
        .write()
        .format("noop")
        .mode("overwrite")
        .save();
    assertThat(totals.value().rows()).isEqualTo(ROWS);
  }

  /** The driver hears of them a moment later. */
  private static Map<String, Double> awaitRows(SparkSession spark, double rows) throws Exception {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    Map<String, Double> metrics = metrics(spark);
    while (System.nanoTime() < end && !rows(metrics).equals(Set.of(rows))) {
      Thread.sleep(100);
      metrics = metrics(spark);
    }
    return metrics;
  }

  /** Of a scrape, which may see the sources a moment apart. */
  private static Set<Double> rows(Map<String, Double> metrics) {
    return PREFIXES.stream()
        .map(prefix -> metrics.getOrDefault(prefix + "rows", -1.0))
        .collect(Collectors.toSet());
  }

  private static Map<String, Double> metrics(SparkSession spark) throws Exception {
    Map<String, Double> metrics = new TreeMap<>();
    Matcher line = LINE.matcher(get(spark, "/metrics/prometheus"));
    while (line.find()) {
      metrics.put(line.group(1), Double.valueOf(line.group(2)));
    }
    return metrics;
  }

  private static String get(SparkSession spark, String path)
      throws IOException, InterruptedException {
    URI uri = URI.create(spark.sparkContext().uiWebUrl().get() + path);
    return HttpClient.newBuilder()
        .followRedirects(HttpClient.Redirect.NORMAL)
        .build()
        .send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString())
        .body();
  }
}
