"""Words of what was measured: training, data, cases, safety, guardrails, resources."""

from __future__ import annotations

from collections.abc import Mapping

from llmops.reports.phrase import Phrase

MEASURED: Mapping[str, Phrase] = {
    # training
    "loss_chart": Phrase("Training loss by step, {job}", "{job}：训练损失随步数的变化"),
    "loss_axis": Phrase("step", "步数"),
    "loss_name": Phrase("loss", "损失"),
    "loss_table": Phrase(
        "{job}: {n} logged steps, from {first} to {last}, lowest {low}",
        "{job}：共记录 {n} 步，由 {first} 降至 {last}，最低 {low}",
    ),
    "loss_table_up": Phrase(
        "{job}: {n} logged steps, from {first} to {last}, lowest {low}: it did not fall",
        "{job}：共记录 {n} 步，由 {first} 变为 {last}，最低 {low}，未见下降",
    ),
    "no_training": Phrase("no training is part of this plan", "本次计划不含训练任务"),
    "no_curve": Phrase("no log of the training was kept", "未留存训练日志"),
    # data
    "funnel_chart": Phrase(
        "Rows left after each step, {subject}", "{subject}：每一步之后剩余的行数"
    ),
    "funnel_table": Phrase("{subject}: from source to parts", "{subject}：从来源到各部分"),
    "no_data": Phrase("no dataset was curated for this plan", "本次计划不含数据整理任务"),
    "no_funnel": Phrase("no funnel was kept", "未留存筛选记录"),
    "step_read": Phrase("read {what}", "读取 {what}"),
    "step_duplicates": Phrase("exact duplicates", "去除完全重复的行"),
    "step_same": Phrase("drop what asks the same again", "去除问法相同的行"),
    "step_contradicting": Phrase("of these, answered differently", "其中标注与保留行不一致"),
    "step_near": Phrase("drop what asks nearly the same again", "去除问法近似的行"),
    "step_shares": Phrase(
        "shares {n} words or characters in a row with {parts}", "与 {parts} 有连续 {n} 个词或字相同"
    ),
    "step_parts": Phrase("divide into parts", "划分为各部分"),
    "step_select_in": Phrase("keep {column} in {values}", "保留 {column} 取值为 {values} 的行"),
    "step_select_out": Phrase("drop {column} in {values}", "剔除 {column} 取值为 {values} 的行"),
    # confusion
    "confusion_chart": Phrase("Expected by given label, {job}", "{job}：期望标签与实际标签"),
    "confusion_note": Phrase(
        "A row is an expected label, a column a given one; the darker, the larger the share of the "
        "row. Right answers stand on the diagonal (green), wrong ones beside it (red).",
        "行为期望标签，列为实际标签；颜色越深，占该行的比例越大。"
        "对角线（绿色）为正确回答，其余（红色）为错误回答。",
    ),
    "confusion_labels": Phrase(
        "{job}: {right} of {n} right, by label", "{job}：{n} 个用例中 {right} 个正确（按标签）"
    ),
    "confusion_pairs": Phrase("{job}: what was taken for what", "{job}：常见混淆"),
    "confusion_other": Phrase("(no label)", "（不是任何标签）"),
    "c_right": Phrase("right", "正确"),
    "c_wrong_label": Phrase("another label", "其他标签"),
    "c_no_label": Phrase("no label", "不是标签"),
    "c_no_answer": Phrase("no answer", "无回答"),
    "c_label": Phrase("label", "标签"),
    "no_labels": Phrase(
        "no evaluation with labels as expected answers", "没有以标签作为期望回答的评测"
    ),
    # cases
    "cases_note": Phrase(
        "Cases that base's target had right and this tree has wrong, the worst first. The text is "
        "that of the test data and of the model as it is; hidden characters are written out.",
        "以下用例基线回答正确、本版本回答错误，按退步程度排序。"
        "文字为测试数据与模型输出的原文，不可见字符以转义形式显示。",
    ),
    "cases_table": Phrase(
        "{gate}: {worse} got worse, {better} got better",
        "{gate}：{worse} 个变差，{better} 个变好",
    ),
    "cases_fine": Phrase(
        "{gate}: no case got worse, {better} got better", "{gate}：没有用例变差，{better} 个变好"
    ),
    "no_cases": Phrase(
        "base's target did not answer the same cases", "基线的被测对象没有回答同一组用例"
    ),
    # safety
    "safety_note": Phrase(
        "A detector that failed or saw no case says nothing about safety: it is listed with its "
        "errors, and it never counts as no finding.",
        "检测器若执行失败或没有测到任何用例，则不能说明安全与否；"
        "此类检测器连同出错数一并列出，绝不当作“未发现问题”。",
    ),
    "safety_reported": Phrase(
        "{job}: this suite is only reported. It has no gate, so its findings decide nothing.",
        "{job}：该测试集仅作报告，不设门禁，其发现不影响判定。",
    ),
    "safety_table": Phrase("{job}: detectors", "{job}：检测器"),
    "safety_findings": Phrase("{job}: findings", "{job}：发现的问题"),
    "safety_clean": Phrase(
        "{job}: {n} detectors asked {cases} cases and reported no finding",
        "{job}：{n} 个检测器共测试 {cases} 个用例，未报告问题",
    ),
    "no_scan": Phrase("no scan is part of this plan", "本次计划不含安全扫描"),
    "scan_open": Phrase("the scans of this plan have not run yet", "本次计划中的安全扫描尚未执行"),
    "detector_ok": Phrase("done", "完成"),
    "detector_error": Phrase("failed: {why}", "执行失败：{why}"),
    "detector_empty": Phrase("saw no case", "没有测到用例"),
    "detector_gap": Phrase("detector {name} of {job}", "{job} 的检测器 {name}"),
    "severity_high": Phrase("high", "高"),
    "severity_medium": Phrase("medium", "中"),
    "severity_low": Phrase("low", "低"),
    # guardrails
    "guards_note": Phrase(
        "A guardrail can err in two ways: it lets by what it must stop, and it stops what it must "
        "let by. Both are counted, on data declared for each.",
        "护栏可能出现两类错误：放过了应当拦截的内容，或拦截了应当放行的内容。"
        "两类错误分别用专门的数据统计。",
    ),
    "guards_chart": Phrase(
        "Share of cases treated as expected, with 95 % intervals",
        "符合预期的用例占比及 95 % 置信区间",
    ),
    "guards_table": Phrase("Guardrail tests", "护栏测试"),
    "expect_block": Phrase("blocked", "被拦截"),
    "expect_mask": Phrase("masked", "被遮盖"),
    "expect_allow": Phrase("let by", "被放行"),
    "missed_block": Phrase("let by", "漏拦"),
    "missed_mask": Phrase("not masked", "未遮盖"),
    "missed_allow": Phrase("stopped wrongly", "误拦"),
    "guards_in_use": Phrase("Guardrails at work inside the application", "应用内护栏的实际动作"),
    "c_blocked": Phrase("blocked", "拦截"),
    "c_masked": Phrase("masked", "遮盖"),
    "no_guard": Phrase("no guardrail test is part of this plan", "本次计划不含护栏测试"),
    "no_guard_rows": Phrase("its rows were not kept", "未留存其逐条结果"),
    # estimates
    "estimates_note": Phrase(
        "Memory is the peak of one process as the operating system reports it, time the wall clock "
        "of the job. Both belong to the machine that ran it, not to the verdict.",
        "内存为操作系统报告的单进程峰值，耗时为任务的实际用时；"
        "两者取决于运行任务的机器，不影响判定结论。",
    ),
    "no_estimate": Phrase("no estimate", "未预估"),
    "no_resources": Phrase("no job has evidence of what it used", "没有任务留存资源用量"),
    "budgets_table": Phrase("Budgets of this change", "本次变更的预算"),
    "c_budget": Phrase("budget", "预算"),
    "c_unit": Phrase("unit", "单位"),
    "c_limit": Phrase("limit", "上限"),
    "c_used": Phrase("used so far", "已使用"),
    "unit_usd": Phrase("US dollars", "美元"),
    "unit_gpu_hours": Phrase("GPU-hours", "GPU 小时"),
    "unit_cpu_hours": Phrase("CPU-hours", "CPU 小时"),
    "gap_cost": Phrase("Cost in money", "费用"),
    "gap_cost_why": Phrase(
        "no policy sets a budget, so nothing was added up", "没有策略设定预算，因此未作统计"
    ),
    "gap_energy": Phrase("Energy and carbon", "能耗与碳排放"),
    "gap_energy_why": Phrase(
        "llmops keeps memory and time of a job, not energy",
        "llmops 只留存任务的内存与耗时，不记录能耗",
    ),
    "gap_memory": Phrase("memory estimate of {job}", "{job} 的内存预估"),
    "gap_memory_why": Phrase("no estimate was made before it ran", "执行前没有作出预估"),
    "seconds": Phrase("{n} s", "{n} 秒"),
    "megabytes": Phrase("{n} MiB", "{n} MiB"),
}
