"""What the labs show of the shipped models, made anew into flatten_edu/widgets/data: python -m tools.lab_data"""
