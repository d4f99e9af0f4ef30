package io.sirocco.spark.store;

import java.io.Serializable;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;

/**
 * What the driver has set for Hadoop's file systems beyond their defaults, on its way to the
 * executors; it may hold secrets.
 *
 * @param values by key
 */
record HadoopSettings(Map<String, String> values) implements Serializable {

  HadoopSettings {
    values = Map.copyOf(values);
  }

  static HadoopSettings of(Configuration hadoop) {
    Map<String, String> values = new TreeMap<>();
    for (Map.Entry<String, String> entry : hadoop) {
      String[] sources = hadoop.getPropertySources(entry.getKey());
      boolean isDefault =
          sources != null && sources.length > 0 && sources[0].endsWith("-default.xml");
      if (!isDefault) {
        values.put(entry.getKey(), entry.getValue());
      }
    }
    return new HadoopSettings(values);
  }

  /** Over the defaults of this JVM. */
  Configuration configuration() {
    Configuration hadoop = new Configuration();
    values.forEach(hadoop::set);
    return hadoop;
  }

  /** Without the values: they may be secret. */
  @Override
  public String toString() {
    return "HadoopSettings[" + values.size() + " keys]";
  }
}
