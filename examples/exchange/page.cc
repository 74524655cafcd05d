// The page of a run: latency by percentile for each hop, and over the time of the run.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "examples/exchange/report.h"

namespace exchange {
namespace {

constexpr double kWidth = 860;
constexpr double kLeft = 80;
constexpr double kRight = kWidth - 20;
constexpr double kTop = 14;
constexpr double kBottom = 320;
constexpr std::array kColours = {"#4477aa", "#ee6677", "#228833", "#ccbb44",
                                 "#66ccee", "#aa3377", "#555555"};

constexpr char kStyle[] =
    "body{font:15px/1.5 system-ui,sans-serif;max-width:900px;margin:2em auto;padding:0 1em;"
    "color:#222;background:#fff}svg{width:100%}svg text{font:12px system-ui,sans-serif;fill:#444}"
    ".grid{stroke:#ddd}.curve{fill:none;stroke-width:2}table{border-collapse:collapse}"
    "td,th{padding:.2em .8em;text-align:right;border-bottom:1px solid #ddd}"
    "td:first-child,th:first-child{text-align:left}"
    "@media(prefers-color-scheme:dark){body{color:#ddd;background:#1b1b1b}svg text{fill:#bbb}"
    ".grid{stroke:#444}td,th{border-color:#444}}";

struct Point {
  double x;
  double y;
};
struct Curve {
  std::string name;
  std::vector<Point> points;
};

std::string Number(double number) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f", number);
  return text;
}
// Nanoseconds, for readers.
std::string Time(double ns) {
  char text[32];
  const char* unit = "ns";
  for (const char* larger : {"µs", "ms", "s"}) {
    if (ns < 1000) break;
    ns /= 1000;
    unit = larger;
  }
  std::snprintf(text, sizeof(text), "%.3g %s", ns, unit);
  return text;
}
std::string Escaped(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '<') {
      escaped += "&lt;";
    } else if (c == '&') {
      escaped += "&amp;";
    } else {
      escaped += c;
    }
  }
  return escaped;
}
std::string Text(double x, double y, const char* anchor, const std::string& text) {
  return "<text x=\"" + Number(x) + "\" y=\"" + Number(y) + "\" text-anchor=\"" + anchor + "\">" +
         Escaped(text) + "</text>\n";
}

// Curves over a linear axis of `across`, with latency upwards on a logarithmic one.
class Plot {
 public:
  Plot(std::vector<Curve> curves, double across_low, double across_high)
      : curves_(std::move(curves)), low_(across_low), high_(std::max(across_high, low_ + 1e-9)) {
    double least = 1e12;
    double most = 1;
    for (const Curve& curve : curves_) {
      for (const Point& point : curve.points) {
        least = std::min(least, std::max(1.0, point.y));
        most = std::max(most, point.y);
      }
    }
    bottom_decade_ = std::floor(std::log10(std::min(least, most)));
    top_decade_ = std::max(std::ceil(std::log10(most)), bottom_decade_ + 1);
  }

  // `ticks`: where, and what is written there.
  std::string Svg(const std::string& title,
                  const std::vector<std::pair<double, std::string>>& ticks) const {
    const double height = kBottom + 50 + 18 * std::ceil(static_cast<double>(curves_.size()) / 2);
    std::string svg = "<svg viewBox=\"0 0 " + Number(kWidth) + " " + Number(height) +
                      "\" role=\"img\" aria-label=\"" + title + "\">\n";
    for (double decade = bottom_decade_; decade <= top_decade_; ++decade) {
      const double y = Up(std::pow(10, decade));
      svg += Line(kLeft, y, kRight, y);
      svg += Text(kLeft - 8, y + 4, "end", Time(std::pow(10, decade)));
    }
    for (const auto& [x, label] : ticks) {
      svg += Line(Across(x), kBottom, Across(x), kBottom + 5);
      svg += Text(Across(x), kBottom + 20, "middle", label);
    }
    for (std::size_t i = 0; i < curves_.size(); ++i) svg += Draw(i);
    return svg + "</svg>\n";
  }

 private:
  double Across(double x) const { return kLeft + (x - low_) / (high_ - low_) * (kRight - kLeft); }
  double Up(double y) const {
    const double part =
        (std::log10(std::max(y, 1.0)) - bottom_decade_) / (top_decade_ - bottom_decade_);
    return kBottom - std::max(0.0, part) * (kBottom - kTop);
  }
  static std::string Line(double x1, double y1, double x2, double y2) {
    return "<line class=\"grid\" x1=\"" + Number(x1) + "\" y1=\"" + Number(y1) + "\" x2=\"" +
           Number(x2) + "\" y2=\"" + Number(y2) + "\"/>\n";
  }
  std::string Draw(std::size_t i) const {
    const std::string colour = kColours[i % kColours.size()];
    std::string path;
    for (const Point& point : curves_[i].points) {
      path += (path.empty() ? "M" : "L") + Number(Across(point.x)) + " " + Number(Up(point.y));
    }
    std::string drawn = "<path class=\"curve\" stroke=\"" + colour + "\" d=\"" + path + "\"/>\n";
    const double x = kLeft + static_cast<double>(i % 2) * (kRight - kLeft) / 2;
    const double y = kBottom + 48 + 18 * static_cast<double>(i / 2);
    drawn += "<path class=\"curve\" stroke=\"" + colour + "\" d=\"M" + Number(x) + " " +
             Number(y - 4) + "h24\"/>\n";
    return drawn + Text(x + 32, y, "start", curves_[i].name);
  }

  std::vector<Curve> curves_;
  double low_;
  double high_;
  double bottom_decade_ = 0;
  double top_decade_ = 1;
};

// Each further nine is as far as the one before; the maximum stands one after the last.
double PlaceOf(double percent) { return -std::log10(1 - percent / 100); }

std::string Percentiles(const std::vector<HopReport>& hops) {
  std::vector<Curve> curves;
  double last = 1;
  for (const HopReport& hop : hops) {
    for (const auto& [percent, latency] : hop.curve) {
      if (percent < 100) last = std::max(last, PlaceOf(percent));
    }
  }
  for (const HopReport& hop : hops) {
    Curve curve{hop.name, {}};
    for (const auto& [percent, latency] : hop.curve) {
      const double place = percent < 100 ? PlaceOf(percent) : last + 1;
      curve.points.push_back({place, static_cast<double>(latency)});
    }
    curves.push_back(std::move(curve));
  }
  std::vector<std::pair<double, std::string>> ticks = {
      {0, "0 %"}, {PlaceOf(50), "50 %"}, {1, "90 %"}, {last + 1, "max"}};
  std::string nines = "99";
  for (double place = 2; place <= last + 1e-9; ++place) {
    ticks.emplace_back(place, nines + " %");
    nines += nines.size() == 2 ? ".9" : "9";
  }
  return Plot(std::move(curves), 0, last + 1).Svg("Latency by percentile", ticks);
}

std::string OverTime(const std::string& title, const std::vector<Timeline::Span>& spans) {
  std::vector<Curve> curves = {{"median", {}}, {"99 %", {}}, {"maximum", {}}};
  double end = 0;
  for (const Timeline::Span& span : spans) {
    const double seconds = 1e-9 * static_cast<double>(span.start);
    curves[0].points.push_back({seconds, static_cast<double>(span.p50)});
    curves[1].points.push_back({seconds, static_cast<double>(span.p99)});
    curves[2].points.push_back({seconds, static_cast<double>(span.max)});
    end = std::max(end, seconds);
  }
  std::vector<std::pair<double, std::string>> ticks;
  for (int i = 0; i <= 5; ++i) ticks.emplace_back(end * i / 5, Time(1e9 * end * i / 5));
  return Plot(std::move(curves), 0, end).Svg(title, ticks);
}

std::string Table(const std::vector<HopReport>& hops) {
  std::string table =
      "<table><tr><th></th><th>p50</th><th>p99</th><th>p99.9</th><th>max</th><th>orders</th></"
      "tr>\n";
  for (const HopReport& hop : hops) {
    table += "<tr><td>" + hop.name + "</td>";
    for (const std::uint64_t latency : {hop.p50, hop.p99, hop.p999, hop.max}) {
      table += "<td>" + Time(static_cast<double>(latency)) + "</td>";
    }
    table += "<td>" + std::to_string(hop.count) + "</td></tr>\n";
  }
  return table + "</table>\n";
}

}  // namespace

std::string ToPage(const RunReport& report) {
  const PipelineResult& run = report.pipeline;
  const MemoryEvents& steady = run.feed.steady;
  std::string page =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<title>Exchange: latency</title><style>";
  page += kStyle;
  page += "</style></head><body>\n<h1>Exchange: " + Escaped(report.title) + "</h1>\n<p>";
  page +=
      "End to end is from the moment at which an order was to be sent, also if the feed was "
      "late. In steady state: " +
      std::to_string(steady.allocations) + " allocations, " +
      std::to_string(steady.minor_faults + steady.major_faults) + " page faults; memory " +
      Escaped(report.memory) + ".";
  if (report.reference) {
    page += report.identical() ? " The results are identical to the reference."
                               : " <strong>The results differ from the reference.</strong>";
  }
  page += "</p>\n" + Table(run.hops);
  page += "<h2>By percentile</h2>\n<p>Each step to the right is one more nine.</p>\n" +
          Percentiles(run.hops);
  page += "<h2>Over the run: to the published market data</h2>\n" +
          OverTime("End to end to published over time", run.published);
  page += "<h2>Over the run: to the durable record</h2>\n" +
          OverTime("End to end to durable over time", run.durable);
  return page + "</body></html>\n";
}

}  // namespace exchange
